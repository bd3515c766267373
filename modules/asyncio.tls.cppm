// Written by tools/make_modules.py.
module;

#include <asyncio/tls/memory_bio.h>
#include <asyncio/tls/peer_certificate.h>
#include <asyncio/tls/ssl_constants.h>
#include <asyncio/tls/ssl_context.h>
#include <asyncio/tls/ssl_errors.h>
#include <asyncio/tls/ssl_object.h>
#include <asyncio/tls/ssl_session.h>

export module asyncio.tls;
export import asyncio;

export namespace asyncio {
using asyncio::ALERT_DESCRIPTION_ACCESS_DENIED;
using asyncio::ALERT_DESCRIPTION_HANDSHAKE_FAILURE;
using asyncio::ALERT_DESCRIPTION_INTERNAL_ERROR;
using asyncio::ALERT_DESCRIPTION_UNRECOGNIZED_NAME;
using asyncio::AlertDescription;
using asyncio::CERT_NONE;
using asyncio::CERT_OPTIONAL;
using asyncio::CERT_REQUIRED;
using asyncio::CertChainData;
using asyncio::CertStoreStats;
using asyncio::CertificateError;
using asyncio::KeyPassword;
using asyncio::LoadCertChainOptions;
using asyncio::MemoryBIO;
using asyncio::OP_CIPHER_SERVER_PREFERENCE;
using asyncio::OP_IGNORE_UNEXPECTED_EOF;
using asyncio::OP_NO_COMPRESSION;
using asyncio::OP_NO_RENEGOTIATION;
using asyncio::OP_NO_TICKET;
using asyncio::OP_NO_TLSv1_3;
using asyncio::PROTOCOL_TLS_CLIENT;
using asyncio::PROTOCOL_TLS_SERVER;
using asyncio::PeerCertificate;
using asyncio::Purpose;
using asyncio::SNICallback;
using asyncio::SSLCertVerificationError;
using asyncio::SSLCipher;
using asyncio::SSLContext;
using asyncio::SSLEOFError;
using asyncio::SSLError;
using asyncio::SSLMethod;
using asyncio::SSLObject;
using asyncio::SSLOptions;
using asyncio::SSLSession;
using asyncio::SSLWantReadError;
using asyncio::SSLWantWriteError;
using asyncio::SSLZeroReturnError;
using asyncio::TLSVersion;
using asyncio::VERIFY_ALLOW_PROXY_CERTS;
using asyncio::VERIFY_CRL_CHECK_CHAIN;
using asyncio::VERIFY_CRL_CHECK_LEAF;
using asyncio::VERIFY_DEFAULT;
using asyncio::VERIFY_X509_PARTIAL_CHAIN;
using asyncio::VERIFY_X509_STRICT;
using asyncio::VERIFY_X509_TRUSTED_FIRST;
using asyncio::VerifyFlags;
using asyncio::VerifyLocations;
using asyncio::VerifyMode;
using asyncio::WrapBioOptions;
using asyncio::create_default_context;
using asyncio::operator&;
using asyncio::operator|;
using asyncio::operator~;
}  // namespace asyncio
