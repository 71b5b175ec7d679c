"""A server on the loopback that answers as archives do, and fails as networks do."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CAPABILITIES = """<?xml version="1.0"?>
<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1">
<capability standardID="ivo://ivoa.net/std/SIA#query-2.0"><interface xsi:type="vs:ParamHTTP" role="std" version="2.0">
<accessURL use="base">{base}/SIA/query</accessURL></interface></capability></vosi:capabilities>"""

VOTABLE = """<?xml version="1.0"?>
<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">
<INFO name="QUERY_STATUS" value="{status}">{message}</INFO><TABLE>
<FIELD name="access_url" datatype="char" arraysize="*" utype="Access.Reference"/>
<FIELD name="dataproduct_subtype" datatype="char" arraysize="*"/>
<FIELD name="em_min" datatype="double" unit="m"/><FIELD name="em_max" datatype="double" unit="m"/>
<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""


def votable(rows=(), status="OK", message=""):
    cells = "".join("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>" for row in rows)
    return VOTABLE.format(status=status, message=message, rows=cells).encode()


def table(*rows, status="COMPLETE", message=""):
    """What MAST's API answers with."""
    return body(json.dumps({"status": status, "msg": message, "data": rows, "fields": []}).encode(), "application/json")


class Server:
    """`answers` holds per path a list of functions of a request handler, used in turn, the last one for ever.

    `requests` lists path, query (or form) and Range of what was asked.
    """

    def __init__(self):
        self.answers, self.requests = {}, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self, form=""):
                path = urlsplit(self.path)
                outer.requests.append((path.path, parse_qs(form or path.query), self.headers.get("Range")))
                answers = outer.answers.get(path.path, [status(404)])
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    answer(self)

            def do_POST(self):
                self.do_GET(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.answers["/SIA/capabilities"] = [body(CAPABILITIES.format(base=self.url).encode(), "text/xml")]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def respond(handler, code, content=b"", **headers):
    handler.send_response(code)
    headers = {"Content_Length": len(content), **headers}
    for name, value in headers.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(content)


def body(content, kind="application/fits", **headers):
    return lambda handler: respond(handler, 200, content, Content_Type=kind, **headers)


def status(code, **headers):
    return lambda handler: respond(handler, code, b"no", **headers)


def cut(content, length, **headers):
    """The first `length` bytes of what is announced, then the end of the connection."""

    def answer(handler):
        respond(handler, 200, content[:length], **{"Content_Length": len(content), **headers})
        handler.close_connection = True

    return answer


def chunked_cut(content):
    """A chunked body without its end."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        handler.close_connection = True

    return answer


def ranged(content, start=None, size=None, **headers):
    """The rest of a body from the byte that is asked for; `start` and `size` claim another byte, or size of all."""

    def answer(handler):
        first = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        shown = first if start is None else start
        claim = f"bytes {shown}-{len(content) - 1}/{size or len(content)}"
        respond(handler, 206, content[first:], Content_Range=claim, **headers)

    return answer


def hang_up(handler):
    """The end of the connection without an answer."""
    handler.close_connection = True


def silent(released):
    """No answer until an event is set."""

    def answer(handler):
        released.wait(30)
        handler.close_connection = True

    return answer
