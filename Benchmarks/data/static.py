"""A plain server of files, as many use for DVC: nginx, which takes PUT."""

import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    location / {{ dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""


class StaticServer:
    """nginx on a free port, as long as it is used."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "StaticServer":
        (self.folder / "files").mkdir(parents=True)
        self.folder.chmod(0o777)
        (self.folder / "files").chmod(0o777)
        configuration = self.folder / "nginx.conf"
        configuration.write_text("user root;" + CONFIGURATION.format(folder=self.folder, port=self.port))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", configuration], stdin=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        raise RuntimeError("nginx does not start")

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
