# $1: an OCI archive, $2: the one to write, with a layer that umoci makes: a file gone, new ones with odd rights and names.
mkdir -p /tmp/layout
tar -xf "$1" -C /tmp/layout
tag=$(umoci ls --layout /tmp/layout | head -n 1)
umoci unpack --rootless --image "/tmp/layout:$tag" /tmp/bundle
root=/tmp/bundle/rootfs
rm "$root/etc/debian_version"
mkdir -p "$root/opt/foreign"
echo 'from elsewhere' > "$root/opt/foreign/a word"
chmod 4751 "$root/opt/foreign/a word"
ln -s 'a word' "$root/opt/foreign/ü"
ln "$root/opt/foreign/a word" "$root/opt/foreign/again"
umoci repack --image /tmp/layout:foreign /tmp/bundle
umoci config --image /tmp/layout:foreign --config.env WHENCE=umoci --config.cmd cat --config.cmd '/opt/foreign/ü'
umoci rm --image "/tmp/layout:$tag"
umoci gc --layout /tmp/layout
tar -cf "$2" -C /tmp/layout .
