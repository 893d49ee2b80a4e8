//! Messages between our processes: a line of JSON each, on a unix stream socket, with file descriptors beside it.

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A message longer than this is refused, so that a broken peer cannot fill the memory.
const LONGEST: usize = 4 << 20;
/// Most descriptors one message carries (the kernel's bound is 253).
const MOST_FDS: usize = 64;

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Filled {
    /// More bytes, perhaps not a whole message.
    Some,
    /// Nothing now; only on a socket that does not block.
    Nothing,
    /// The other side is gone.
    End,
}

/// One end of a conversation.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    buffer: Vec<u8>,
    /// How much of the buffer is known to hold no end of a message.
    searched: usize,
    fds: VecDeque<OwnedFd>,
}

impl Channel {
    /// Over a connected socket.
    pub fn new(socket: OwnedFd) -> Self {
        Self { socket, buffer: Vec::new(), searched: 0, fds: VecDeque::new() }
    }

    /// Two ends that are connected with each other.
    pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
        Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
    }

    /// Sends a message.
    pub fn send<T: Serialize>(&self, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(message, fds, SendFlags::NOSIGNAL)
    }

    /// Sends a message or fails at once when the other side does not read.
    pub fn send_now<T: Serialize>(&self, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.send_with(message, fds, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }

    fn send_with<T: Serialize>(&self, message: &T, fds: &[BorrowedFd<'_>], flags: SendFlags) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(message)?;
        bytes.push(b'\n');
        if bytes.len() > LONGEST || fds.len() > MOST_FDS {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(fds));
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match sendmsg(&self.socket, &[IoSlice::new(rest)], &mut control, flags) {
                Ok(sent) => rest = &rest[sent..],
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            control.clear();
        }
        Ok(())
    }

    /// Reads what there is.
    pub fn fill(&mut self) -> io::Result<Filled> {
        let mut chunk = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = match recvmsg(&self.socket, &mut [IoSliceMut::new(&mut chunk)], &mut control, RecvFlags::CMSG_CLOEXEC)
        {
            Ok(got) => got.bytes,
            Err(Errno::AGAIN) => return Ok(Filled::Nothing),
            Err(Errno::INTR) => return Ok(Filled::Some),
            Err(Errno::CONNRESET | Errno::PIPE) => return Ok(Filled::End),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds);
            }
        }
        if got == 0 {
            return Ok(Filled::End);
        }
        if self.buffer.len() + got > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
        }
        self.buffer.extend_from_slice(&chunk[..got]);
        Ok(Filled::Some)
    }

    /// Takes the next whole message out of what was read.
    pub fn take<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let end = self.searched + end;
        self.searched = 0;
        let message = serde_json::from_slice(&self.buffer[..end])?;
        self.buffer.drain(..=end);
        Ok(Some(message))
    }

    /// Waits for the next message; `None` when the other side is gone.
    pub fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            if self.fill()? == Filled::End {
                return Ok(None);
            }
        }
    }

    /// The oldest descriptor that came and was not taken.
    pub fn take_fd(&mut self) -> Option<OwnedFd> {
        self.fds.pop_front()
    }

    /// All descriptors that came and were not taken.
    pub fn take_fds(&mut self) -> Vec<OwnedFd> {
        self.fds.drain(..).collect()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_descriptors_arrive_in_order() {
        let (left, right) = Channel::pair().unwrap();
        let (left, mut right) = (Channel::new(left), Channel::new(right));
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        left.send(&"one", &[reader.as_fd()]).unwrap();
        left.send(&vec!["x".repeat(10_000)], &[writer.as_fd()]).unwrap();
        drop((reader, writer, left));
        assert_eq!(right.receive::<String>().unwrap().as_deref(), Some("one"));
        let reader = right.take_fd().unwrap();
        assert_eq!(right.receive::<Vec<String>>().unwrap().unwrap()[0].len(), 10_000);
        let writer = right.take_fd().unwrap();
        assert_eq!(right.receive::<String>().unwrap(), None);
        rustix::io::write(&writer, b"through").unwrap();
        let mut text = [0; 7];
        rustix::io::read(&reader, &mut text).unwrap();
        assert_eq!(&text, b"through");
    }

    #[test]
    fn an_endless_message_is_refused() {
        let (left, right) = Channel::pair().unwrap();
        let feeder = std::thread::spawn(move || {
            let chunk = vec![b'x'; 65_536];
            while rustix::io::write(&left, &chunk).is_ok() {}
        });
        let mut right = Channel::new(right);
        assert!(right.receive::<String>().is_err());
        drop(right);
        feeder.join().unwrap();
    }
}
