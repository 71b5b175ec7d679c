"""A headless Chromium, driven through its DevTools protocol over two pipes: nothing but the browser is needed."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "headless_shell", "google-chrome",
         "google-chrome-stable", "chrome", "microsoft-edge")  # fmt: skip
ON_A_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--hide-scrollbars", "--remote-debugging-pipe")  # fmt: skip
KEYS = {"Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "Tab": 9, "Enter": 13}
PATIENCE = 30  # seconds, for what the page never comes to
# A Chromium reads commands at 3 and answers at 4: the ends of two pipes, wherever they are, come there.
AT_3_AND_4 = """\
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD_CLOEXEC, 10) for end in sys.argv[1:3]]
for number, end in enumerate(ends, start=3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def find():
    """Path of a Chromium; without one the program ends, and says what to do."""
    given = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [given] if given else NAMES)), None)
    if found is None and not given and ON_A_MAC.exists():
        found = str(ON_A_MAC)
    if found is None:
        got = f"CHROMIUM={given}, which is no program" if given else "none"
        sys.exit(
            f"No browser to test the survey's page in: got {got}; expected a Chromium or Chrome: install one (Debian, "
            "Ubuntu: apt-get install chromium), or set CHROMIUM to its path."
        )
    return found


class Browser:
    """One page of a browser."""

    def __init__(self, to_browser, from_browser):
        self._to, self._from, self._read = to_browser, from_browser, b""
        self._number, self._session = 0, None
        self.requests = []  # addresses that were asked for
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        self.resize(DESKTOP)

    def call(self, method, **parameters):
        """The result of a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        text = json.dumps(message).encode() + b"\0"
        while text:
            text = text[os.write(self._to, text) :]
        while (answer := self._next()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self):
        while b"\0" not in self._read:
            if not select.select([self._from], [], [], PATIENCE)[0]:
                raise RuntimeError(f"the browser has said nothing for {PATIENCE} s")
            more = os.read(self._from, 2**20)
            if not more:
                raise RuntimeError("the browser has ended")
            self._read += more
        text, self._read = self._read.split(b"\0", 1)
        message = json.loads(text)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            raise RuntimeError(message["params"]["exceptionDetails"]["exception"]["description"])
        return message

    def resize(self, screen):
        self.call("Emulation.setDeviceMetricsOverride", **screen)

    def open(self, path, fragment="", *, scripts=True):
        """Open a file as a new page, and wait for its load event."""
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=Path(path).as_uri() + fragment)
        while self.value("document.readyState") != "complete":
            pass

    def value(self, expression):
        """The value of an expression in the page; of a promise, what it is resolved to."""
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"]["exception"]["description"])
        return done["result"].get("value")

    def until(self, expression):
        """Wait until an expression holds, which is looked at whenever the page is drawn."""
        look = f"const look = () => ({expression}) ? done() : requestAnimationFrame(look)"
        self.value(f"new Promise((done) => {{ {look}; look(); }})")

    def press(self, key):
        known = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}  # without it, a button does not hear of it
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def click(self, selector):
        """Click on the middle of an element as a mouse does: on whatever is uppermost there."""
        element = f"const element = document.querySelector({json.dumps(selector)})"
        x, y = self.value(
            f"(() => {{ {element}; element.scrollIntoView({{ block: 'center' }});"
            " const b = element.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector, text):
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def picture(self, path):
        """A screenshot, as a PNG file."""
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(profile):
    """A Browser, with a folder of its own, that ends with the block."""
    to_read, to_write, from_read, from_write = *os.pipe(), *os.pipe()
    command = [sys.executable, "-c", AT_3_AND_4, str(to_read), str(from_write), find(), *OPTIONS]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([*command, f"--user-data-dir={profile}"], pass_fds=(to_read, from_write), **quiet)
    os.close(to_read)
    os.close(from_write)
    try:
        yield Browser(to_write, from_read)
    finally:
        process.kill()
        process.wait()
        os.close(to_write)
        os.close(from_read)


if __name__ == "__main__":
    find()
