"""Follows a repository with python-tuf, as somebody else's client.

usage: follow.py REPOSITORY ROOT TARGET FOLDER

Serves the repository's folder on this machine, begins with ROOT, refreshes, and downloads TARGET into FOLDER.
"""

import functools
import os
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from tuf.ngclient import Updater


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


repository, root, name, folder = sys.argv[1:]
server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=repository))
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"
metadata = os.path.join(folder, "metadata")
os.makedirs(metadata, exist_ok=True)
with open(root, "rb") as file:
    first = file.read()
updater = Updater(metadata, f"{url}/metadata/", folder, f"{url}/targets/", bootstrap=first)
updater.refresh()
info = updater.get_targetinfo(name)
assert info, f"{name} is not listed"
print(updater.download_target(info, os.path.join(folder, "downloaded")))
print(info.custom)
