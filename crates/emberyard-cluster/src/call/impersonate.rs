//! Being taken for somebody else.

use super::Call;
use crate::User;
use crate::authz::Attributes;
use crate::failure::{Failure, Outcome};

const AUTHENTICATION: &str = "authentication.k8s.io";

impl Call<'_> {
    /// Takes the user for whom the `Impersonate-*` headers name, if the user may `impersonate` each part of it.
    pub(super) fn impersonate(&mut self) -> Outcome<()> {
        let Some(wanted) = &self.request.impersonate else { return Ok(()) };
        if wanted.user.is_empty() {
            return Err(Failure::bad_request("impersonating a uid, group or extra needs a user as well"));
        }
        let mut user = User { name: wanted.user.clone(), groups: wanted.groups.clone(), ..User::default() };
        let account = wanted.user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => {
                self.may("serviceaccounts", "", "", Some(namespace), name)?;
                if wanted.groups.is_empty() {
                    user.groups = User::service_account(namespace, name).groups;
                }
            }
            None => self.may("users", "", "", None, &wanted.user)?,
        }
        for group in &wanted.groups {
            self.may("groups", "", "", None, group)?;
        }
        if let Some(uid) = &wanted.uid {
            self.may("uids", "", AUTHENTICATION, None, uid)?;
            user.uid.clone_from(uid);
        }
        for (key, value) in &wanted.extra {
            self.may("userextras", key, AUTHENTICATION, None, value)?;
            user.extra.entry(key.clone()).or_default().push(value.clone());
        }
        self.user = user;
        Ok(())
    }

    fn may(
        &mut self,
        resource: &str,
        subresource: &str,
        group: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Outcome<()> {
        let verb = "impersonate";
        let wanted = Attributes { verb, group, resource, subresource, namespace, name, ..Attributes::default() };
        self.server.authorizer.check(&self.server.store, &self.user, &wanted)
    }
}
