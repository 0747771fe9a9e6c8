"""A server that knows nothing of tokens: who is calling stands in fields that the gateway has nginx set."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Orders(BaseHTTPRequestHandler):
    def do_GET(self):
        user = self.headers["X-Auth-Request-User"]
        body = f"the orders of {user}\n" if user else "welcome\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())


# On loopback, so that nobody reaches it past nginx.
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Orders).serve_forever()
