//! TLS of the doors: certificates from PEM files, by rustls with ring.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest as _, Sha256};

/// What a door needs for TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The certificate chain, leaf first, as PEM.
    pub certificates: PathBuf,
    /// The private key of the leaf, as PEM.
    pub key: PathBuf,
    /// The authorities whose clients may connect, as PEM: then every client must prove a certificate. `None`: clients have
    /// none.
    pub client_authorities: Option<PathBuf>,
}

/// TLS as a door speaks it.
#[derive(Clone, Debug)]
pub struct ServerTls(pub(crate) Arc<ServerConfig>);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM.
    #[error("{path}: {detail}: expected {expected} in PEM")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        detail: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The certificate and the key are each well-formed, and do not make a server.
    #[error("{path}: {source}")]
    Certificate {
        /// The file of certificates.
        path: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The authorities for clients are of no use.
    #[error("{path}: {detail}")]
    ClientAuthorities {
        /// Their file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

impl ServerTls {
    /// Reads the files. `protocols` are offered to clients (ALPN, RFC 7301), the preferred one first.
    pub fn load(files: &TlsFiles, protocols: &[&[u8]]) -> Result<Self, TlsError> {
        let certificates = certificates(&files.certificates)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File {
            path: files.key.clone(),
            detail: told(error),
            expected: "a private key",
        })?;
        let wrong = |source| TlsError::Certificate { path: files.certificates.clone(), source };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(wrong)?;
        let builder = match &files.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let wrong = |detail| TlsError::ClientAuthorities { path: path.clone(), detail };
                let mut roots = RootCertStore::empty();
                for certificate in self::certificates(path)? {
                    roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| wrong(error.to_string()))?)
            }
        };
        let mut config = builder.with_single_cert(certificates, key).map_err(wrong)?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let expected = "certificates";
    let failed = |detail: String| TlsError::File { path: path.to_owned(), detail, expected };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| failed(told(error)))?;
    let certificates = read.collect::<Result<Vec<_>, _>>().map_err(|error| failed(told(error)))?;
    if certificates.is_empty() { Err(failed("there is none".to_owned())) } else { Ok(certificates) }
}

fn told(error: rustls::pki_types::pem::Error) -> String {
    match error {
        rustls::pki_types::pem::Error::Io(error) => io::Error::to_string(&error),
        other => other.to_string(),
    }
}

/// What a certificate is known by in the configuration: the SHA-256 of its DER form, as `openssl x509 -fingerprint -sha256`
/// tells it.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}
