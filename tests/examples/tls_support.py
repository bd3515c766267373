"""What the tests of examples that speak TLS have in common: certificates, and nginx."""
import pathlib
import re
import shutil
import subprocess
import time

import programs

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def is_missing():
    """Of a program that was built where there is no OpenSSL."""
    return shutil.which("openssl") is None or b"was built without TLS" in pathlib.Path(programs.EXE).read_bytes()


def make_certificates(folder):
    """By the commands in docs/tls.md: our-authority.pem, cert.pem and key.pem for localhost, me.pem and me.key."""
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", (programs.ROOT / "docs/tls.md").read_text(), re.S))
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Nginx:
    """Serves `folder` in it by TLS; or passes all on to `upstream`, which it verifies."""

    def __init__(self, folder, upstream=None):
        self.folder = pathlib.Path(folder)
        self.upstream = upstream

    def configuration(self):
        location = f"root {self.folder}/public;"
        if self.upstream:
            location = f"""proxy_pass https://127.0.0.1:{self.upstream}; proxy_http_version 1.1;
                proxy_ssl_verify on; proxy_ssl_trusted_certificate {self.folder}/our-authority.pem;
                proxy_ssl_name localhost; proxy_ssl_server_name on; proxy_ssl_session_reuse on;
                proxy_ssl_protocols TLSv1.2 TLSv1.3;"""
        return f"""daemon off; master_process off; worker_processes 1; error_log stderr; pid {self.folder}/nginx.pid;
            events {{ worker_connections 64; }}
            http {{ access_log off; client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
              fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi;
              scgi_temp_path {self.folder}/scgi;
              server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {self.folder}/cert.pem;
                ssl_certificate_key {self.folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
                location / {{ {location} }} }} }}"""

    def __enter__(self):
        self.port = programs.free_port()
        file = self.folder / "nginx.conf"
        file.write_text(self.configuration())
        self.errors = open(self.folder / "nginx.errors", "w+")
        self.process = subprocess.Popen([NGINX, "-p", str(self.folder), "-c", str(file)], stderr=self.errors,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(programs.TIMEOUT)
        self.errors.seek(0)
        self.said = self.errors.read()
        self.errors.close()


def wait_for_port(port, process):
    """Until the program listens there."""
    deadline = time.monotonic() + programs.TIMEOUT
    while True:
        try:
            programs.Client(port).close()
            return
        except ConnectionRefusedError:
            assert process.poll() is None and time.monotonic() < deadline, f"{process.args} does not listen"
            time.sleep(0.02)
