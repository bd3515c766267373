#!/usr/bin/env python3
"""The example and its twin say the same of a certificate that is made for them: tls_echo_test.py EXECUTABLE"""
import pathlib
import subprocess
import sys
import tempfile

EXPECTED = """localhost is localhost, by TLSv1.3
hello
example.org is somebody else: CERTIFICATE_VERIFY_FAILED
"""
twin = pathlib.Path(__file__).resolve().parents[2] / "examples/tls_echo.py"
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "key.pem", "-out", "cert.pem", "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=digitalSignature,keyCertSign"],
                   cwd=folder, check=True, stderr=subprocess.DEVNULL)
    for program in ([sys.argv[1]], [sys.executable, twin]):
        said = subprocess.run([*program, "cert.pem", "key.pem"], cwd=folder, check=True, text=True, timeout=60,
                              stdout=subprocess.PIPE).stdout
        assert said == EXPECTED, (program, said)
for wrong in ([], ["/nowhere", "/nowhere"]):
    assert subprocess.run([sys.argv[1], *wrong], stderr=subprocess.DEVNULL).returncode != 0
