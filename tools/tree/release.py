"""A release: the built pack as a zip with the checksum of each file, which Windmill's
own command line deploys alone."""

import hashlib
import zipfile
from pathlib import Path

from tools.operations import ROOT
from tools.target_folder import FOLDER
from tools.tree.sync_tree import tree
from tools.version import NAME, VERSION

SUMS = "SHA256SUMS"
WHEN = (1980, 1, 1, 0, 0, 0)  # of every file: the same sources make the same bytes
TEXT = """\
{name} {version}

Deploy it with Windmill's command line, which needs Node 20 or newer:

    npm install --global windmill-cli
    sha256sum --check {sums}
    wmill workspace add mine <workspace id> https://app.windmill.dev --token <token>
    wmill folder push {space}          once, where the folder is not there yet
    wmill sync push --keep-deleted

Then, in Windmill, add a resource of the type togetherai with your key, and run
{folder}/organization/check_connection with it. Nothing of yours is deleted:
wmill.yaml says keepDeleted. Schedules are not part of it; docs/scheduling.md of the
sources says more.
"""


def release(target: Path, python: str, root: Path = ROOT) -> Path:
    """Write NAME-VERSION.zip and its checksum, NAME-VERSION.zip.sha256; returns the
    first. The zip holds one folder, NAME-VERSION."""
    top = f"{NAME}-{VERSION}"
    files = dict(tree(root, FOLDER, python))
    space = FOLDER.split("/")[1]
    text = TEXT.format(
        name=NAME, version=VERSION, sums=SUMS, space=space, folder=FOLDER
    )
    files["README.txt"] = text.encode()
    for name in ("LICENSE", "CHANGELOG.md"):
        if (root / name).exists():
            files[name] = (root / name).read_bytes()
    sums = (
        f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)
    )
    files[SUMS] = "".join(sums).encode()
    target.mkdir(parents=True, exist_ok=True)
    place = target / f"{top}.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(f"{top}/{name}", WHEN)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    whole = hashlib.sha256(place.read_bytes()).hexdigest()
    sum_of_it = target / f"{top}.zip.sha256"
    sum_of_it.write_text(f"{whole}  {place.name}\n", encoding="utf-8")
    return place
