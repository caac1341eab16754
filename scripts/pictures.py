"""Saves pictures of the Console's pages: pictures.py URL FOLDER name=/path …"""

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

url, folder, *pages = sys.argv[1:]
flags = ["--disable-gpu", "--disable-dev-shm-usage"] + (["--no-sandbox"] if os.getuid() == 0 else [])
Path(folder).mkdir(exist_ok=True)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    for name, path in (page.split("=", 1) for page in pages):
        tab.goto(url + path)
        # Rows and curves are fetched by scripts.
        tab.wait_for_timeout(1500)
        tab.screenshot(path=f"{folder}/{name}.png")
    browser.close()
