//! A real HTTPS server by others, and a slow way to it.

use std::io::{Read, Write, copy};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::worker::wait_for;

/// `openssl s_server -WWW`: serves the files of a folder over HTTPS, with a certificate by a CA of its own.
pub struct HttpsServer {
    child: Child,
    /// Where it listens, at `localhost`.
    pub port: u16,
}

impl HttpsServer {
    /// Starts it, and makes `ca.pem` in the folder.
    pub fn start(directory: &Path) -> Self {
        let openssl = |arguments: &str| {
            let made = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output();
            let made = made.expect("openssl is installed");
            assert!(made.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&made.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca"));
        let name = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
        openssl(&format!("req {key} -keyout key.pem -out cert.csr {name}"));
        let by_ca = "-CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copyall";
        openssl(&format!("x509 -req -in cert.csr {by_ca} -out cert.pem -days 2"));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let child = Command::new("openssl")
            .args([
                "s_server",
                "-WWW",
                "-quiet",
                "-cert",
                "cert.pem",
                "-key",
                "key.pem",
                "-accept",
                &port.to_string(),
            ])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let server = Self { child, port };
        wait_for("the HTTPS server", || TcpStream::connect(("127.0.0.1", port)).ok());
        server
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl HttpsServer {
    /// A port at which the server answers swiftly up to `swift_bytes` of a connection, and then one byte at a time with
    /// a pause after each, as long as the client listens.
    pub fn trickling(&self, swift_bytes: u64) -> u16 {
        const PAUSE: Duration = Duration::from_millis(20);
        let server_port = self.port;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else { return };
                let (mut to_server, mut to_client) =
                    (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                thread::spawn(move || copy(&mut &client, &mut to_server));
                thread::spawn(move || {
                    let mut server = server;
                    let swift = copy(&mut (&mut server).take(swift_bytes), &mut to_client);
                    let mut byte = [0];
                    while swift.is_ok()
                        && server.read(&mut byte).is_ok_and(|bytes| bytes == 1)
                        && to_client.write_all(&byte).is_ok()
                    {
                        thread::sleep(PAUSE);
                    }
                });
            }
        });
        port
    }
}
