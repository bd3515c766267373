"""file_server by HTTPS, and a browser that loads its pages: Chromium."""
import base64
import hashlib
import shutil
import subprocess
import unittest

import programs
import tls_support
from file_server_case import BIG, FileServerTest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# What it says is in the page when that has been loaded.
PAGE = """<!DOCTYPE html><title>page</title><link rel="stylesheet" href="style.css"><script src="name.js"></script>
<body><img src="picture.svg"><p id="said"></p><script>
function length(address, range) {
    const request = new XMLHttpRequest();
    request.open("GET", address, false);
    request.overrideMimeType("text/plain; charset=x-user-defined");
    if (range) request.setRequestHeader("Range", range);
    request.send();
    return request.status + " " + request.responseText.length;
}
const parts = [];
for (let i = 0; i < 3; ++i) parts.push(length("big.bin?" + i, ""));
parts.push(length("big.bin", "bytes=5-104"), length("none", ""));
onload = () => {
    parts.push(name_of_script, document.images[0].naturalWidth, getComputedStyle(document.body).fontSize);
    document.getElementById("said").textContent = parts.join(", ");
};
</script>"""


@unittest.skipUnless(CHROMIUM, "no chromium here")
class FileServerInABrowser(FileServerTest):
    def setUp(self):
        super().setUp()
        if tls_support.is_missing():
            self.skipTest("built without TLS")
        tls_support.make_certificates(self.top)
        (self.root / "page.html").write_text(PAGE)
        (self.root / "style.css").write_text("body { font-size: 21px }")
        (self.root / "name.js").write_text("const name_of_script = 'by script';")
        (self.root / "picture.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="17" height="5"><rect width="17" height="5"/></svg>')

    def load(self, server, path, *options):
        done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                               "--no-first-run", "--disable-background-networking", f"--user-data-dir={self.top}/profile",
                               *options, "--dump-dom", f"https://localhost:{server.port}{path}"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * programs.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def trusted(self):
        """The option by which it takes the server's key for good."""
        key = subprocess.run("openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform DER", shell=True,
                             cwd=self.top, check=True, capture_output=True).stdout
        return "--ignore-certificate-errors-spki-list=" + base64.b64encode(hashlib.sha256(key).digest()).decode()

    def test_it_loads_pages_by_https(self):
        for server in self.servers("--cert", self.top / "cert.pem", "--key", self.top / "key.pem", self.root, 0,
                                   "127.0.0.1"):
            listing, _ = self.load(server, "/", self.trusted())
            self.assertIn('<a href="./hello.txt">', listing)
            said, _ = self.load(server, "/page.html", self.trusted())
            big = f"200 {len(BIG)}"
            self.assertIn(f'<p id="said">{big}, {big}, {big}, 206 100, 404 14, by script, 17, 21px</p>', said)
            refused, why = self.load(server, "/hello.txt")
            self.assertRegex(why, "ERR_CERT_AUTHORITY_INVALID|net_error -202")
            self.assertNotIn("hello, world", refused)
