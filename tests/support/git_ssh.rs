//! An `sshd` on loopback with keys of its own, for git over ssh.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use switchboard::repository::GitOptions;
use tempfile::TempDir;

/// A running server; dropping it stops it.
pub struct SshServer {
    folder: TempDir,
    pub port: u16,
    pub user: String,
    child: Child,
}

impl SshServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host_key", "user_key", "other_key"] {
            let path = folder.path().join(name);
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path));
        }
        let user = run(Command::new("id").arg("-un")).trim().to_owned();
        // Where root runs it, sshd wants this folder; anyone else's does without.
        fs::create_dir_all("/run/sshd").ok();
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = listen(folder.path(), port) {
                let key = fs::read_to_string(folder.path().join("host_key.pub")).unwrap();
                fs::write(folder.path().join("known_hosts"), format!("[127.0.0.1]:{port} {key}")).unwrap();
                return Self { folder, port, user, child };
            }
        }
        panic!("sshd does not start; it comes with the package openssh-server");
    }

    pub fn url(&self, path: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, path.display())
    }

    /// Options that reach this server and no configuration of the user.
    pub fn options(&self, key: &str) -> GitOptions {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let known_hosts = format!("UserKnownHostsFile={}", file("known_hosts"));
        let key = file(key);
        let args = ["-F", "/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", &known_hosts, "-i", &key];
        GitOptions { ssh_args: args.map(str::to_owned).to_vec(), ..GitOptions::default() }
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "the server is found on the path that the tests were given")]
fn listen(folder: &Path, port: u16) -> Option<Child> {
    let path = std::env::vars().find(|(name, _)| name == "PATH").unwrap().1;
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {0}/host_key\nAuthorizedKeysFile {0}/user_key.pub\nPidFile none\nStrictModes no\n\
         UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nUseDNS no\nKexAlgorithms curve25519-sha256\nSetEnv PATH={path}\n",
        folder.display()
    );
    fs::write(folder.join("sshd_config"), config).unwrap();
    let mut child = Command::new(sshd()).args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = lines.by_ref().map_while(Result::ok).any(|line| line.contains("Server listening"));
    if !listening {
        child.wait().unwrap();
        return None;
    }
    thread::spawn(move || lines.for_each(drop));
    Some(child)
}

fn sshd() -> PathBuf {
    let found = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].into_iter().map(PathBuf::from).find(|path| path.exists());
    found.expect("sshd, from the package openssh-server")
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
