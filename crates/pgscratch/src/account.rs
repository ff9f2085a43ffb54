//! The account the server runs as: PostgreSQL refuses to run as root.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// An unprivileged account of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to change to: none when this process is not root, else `postgres`, else
    /// `nobody`.
    pub(crate) fn to_change_to() -> io::Result<Option<Account>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd")?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Account::in_passwd(&passwd, name))
            .map(Some)
            .ok_or_else(|| io::Error::other("no account `postgres` or `nobody` in `/etc/passwd`"))
    }

    fn in_passwd(passwd: &str, name: &str) -> Option<Account> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            // A `postgres` that is another name for root would not help.
            (uid != 0).then_some(Account { uid, gid })
        })
    }

    /// Makes `command` run as this account, with no supplementary groups.
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives `path` to this account.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn an_account_is_read_by_its_full_name_and_is_never_root() {
        let passwd = "root:x:0:0::/:/bin/sh\npostgres2:x:7:8::/:/bin/sh\nnobody:x:65534:65533::/:";
        assert!(Account::in_passwd(passwd, "postgres").is_none());
        assert!(Account::in_passwd(passwd, "root").is_none());
        let nobody = Account::in_passwd(passwd, "nobody").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (65534, 65533));
    }
}
