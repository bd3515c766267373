"""What file_server refuses to read. Two programs that read a request in two ways can be played off against each other."""
from file_server_case import FileServerTest

HOST = "Host: x\r\n"
SMUGGLED = "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n"

BAD_REQUESTS = (
    ("nonsense\r\n\r\n", 400),
    ("GET /\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    (f"GET / HTTP/2.0\r\n{HOST}\r\n", 505),
    (f"GET / HTTP/1.2\r\n{HOST}\r\n", 505),
    (f"GET / FTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET / http/1.1\r\n{HOST}\r\n", 400),
    (f"GET / HTTP/1.1 \r\n{HOST}\r\n", 400),
    (f"GET  / HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET\t/\tHTTP/1.1\r\n{HOST}\r\n", 400),
    (f" GET / HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /a b HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /\x01 HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /\x7f HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /ö HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET /#x HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"BREW / HTTP/1.1\r\n{HOST}\r\n", 501),
    (f"get / HTTP/1.1\r\n{HOST}\r\n", 501),
    (f"GET /{'x' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414),
    (f"GET / HTTP/1.1\r\n{HOST}X: {'x' * 20000}\r\n\r\n", 431),
    (f"GET / HTTP/1.1\r\n{HOST}" + "X: y\r\n" * 200 + "\r\n", 431),
    ("\r\n" * 9000, 414),
    ("\n\nGET / HTTP/1.1\r\n" + HOST + "\r\n", 400),
    # Hosts.
    (f"GET / HTTP/1.1\r\n{HOST}Host: y\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    (f"GET / HTTP/1.0\r\n{HOST}{HOST}\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: me@x\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x, y\r\n\r\n", 400),
    (f"GET http://y/ HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET http://me@x/ HTTP/1.1\r\n{HOST}\r\n", 400),
    ("GET http://x/ HTTP/1.1\r\n\r\n", 400),
    (f"GET https://y/ HTTP/1.1\r\n{HOST}\r\n", 400),
    (f"GET x:80 HTTP/1.1\r\n{HOST}\r\n", 400),
    # Lines and headers.
    (f"GET / HTTP/1.1\n{HOST}\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\n\n", 400),
    ("GET / HTTP/1.1\nHost: x\n\n", 400),
    (f"GET / HTTP/1.1\r{HOST}\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X: a\rb\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X: a\x1b[2J\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X : y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost\t: x\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X: y\r\n z\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X: y\r\n\tz\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n X: y\r\n{HOST}\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}: y\r\n\r\n", 400),
    (f"GET / HTTP/1.1\r\n{HOST}X(: y\r\n\r\n", 400),
    # Bodies.
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length : 5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5, 5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: +5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: -5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 0x5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5 5\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length:\r\n\r\nhello", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 99999999\r\n\r\n", 413),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: {2**64 + 5}\r\n\r\nhello", 413),
    (f"GET / HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello", 400),
    (f"GET / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 400),
    (f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    (f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", 417),
)


class FileServerRequests(FileServerTest):
    def test_what_can_be_read_in_two_ways_is_refused_and_nothing_after_it_is_read(self):
        for server in self.serving():
            for text, status in BAD_REQUESTS:
                answer = self.request(server, text.encode() + SMUGGLED.encode())
                self.assertEqual(answer[:12], f"HTTP/1.1 {status}", text[:200])
                self.assertEqual(answer.count("HTTP/1.1 "), 1, text[:200])
                self.assertIn("\r\nConnection: close\r\n", answer)

    def test_a_bad_line_is_refused_before_all_has_come(self):
        for server in self.serving():
            for text in ("GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost : x\r\n", "\0", "GET /" + "x" * 16_400):
                with server.connect() as client:
                    client.send(text)
                    self.assertRegex(client.until("\r\n\r\n"), r"\AHTTP/1.1 4\d\d ")

    def test_what_is_unusual_but_clear_is_answered(self):
        for server in self.serving():
            for text in ("GET /hello.txt HTTP/1.1\r\nHost:x\r\n\r\n", "GET /hello.txt HTTP/1.1\r\nHost:\t x \t\r\n\r\n",
                         "\r\nGET /hello.txt HTTP/1.1\r\nhOST: x\r\n\r\n",
                         "\r\n\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", "GET /hello.txt HTTP/1.1\r\nHost:\r\n\r\n",
                         "GET /hello.txt HTTP/1.0\r\n\r\n", "GET HTTP://X/hello.txt HTTP/1.1\r\nHost: x\r\n\r\n",
                         "GET http://x:80/hello.txt?/ HTTP/1.1\r\nHost: x:80\r\n\r\n",
                         "GET /hello.txt?http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
                         "GET /hello.txt HTTP/1.1\r\nHost: x\r\nX:\r\nX: \xf6\r\nContent-Length: 0\r\n\r\n",
                         "GET /hello.txt HTTP/1.1\r\nHost: [::1]:80\r\nConnection: TE, close\r\n\r\n"):
                self.assertRegex(self.request(server, text.encode("latin-1")), r"\AHTTP/1.1 200 [^$]*hello, world\n\Z", text)
