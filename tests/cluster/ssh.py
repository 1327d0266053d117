"""An ssh server on a host, for one user with one key; the machine's own ssh is untouched."""

import shutil
import subprocess
from pathlib import Path

from tests.cluster.hosts import Host

USER = "student"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def why_no_ssh() -> str | None:
    """Returns which program is missing to log in to hosts, or None."""
    programs = ("sshd", "ssh", "ssh-keygen", "rsync")
    missing = [program for program in programs if shutil.which(program, path=_PATH) is None]
    return f"ssh to hosts needs the programs {', '.join(missing)}" if missing else None


def make_key(folder: Path) -> Path:
    """Returns a new private key; the public one lies beside it as `.pub`."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def make_user(host: Host, variables: dict[str, str]) -> None:
    """Makes `USER`, whose home is the host's private one and who finds `variables` after login.

    The user has root's number, to own the mounted folders, and comes before root, so that programs which look
    the number up find this home and never the machine's.
    """
    passwd = host.private / "passwd"
    passwd.write_text(f"{USER}:x:0:0::{host.home}:/bin/bash\n" + Path("/etc/passwd").read_text())
    host.run(["mount", "--bind", f"{host.local}/passwd", "/etc/passwd"])
    exports = "".join(f"export {name}='{value}'\n" for name, value in host.environment(variables).items())
    (host.private / "home" / ".bashrc").write_text(exports)


def serve_ssh(host: Host, key: Path) -> None:
    """Lets `USER` log in to the host with `key`."""
    host_key = make_key(host.private)
    (host.private / "sshd_config").write_text(
        f"ListenAddress {host.ip}\nHostKey {host.local}/{host_key.name}\nAuthorizedKeysFile {key}.pub\n"
        "PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\nPermitRootLogin yes\n"
    )
    host.run(["mount", "-t", "tmpfs", "-o", "size=1m", "run", "/run"])
    host.run(["mkdir", "/run/sshd"])
    host.execute([shutil.which("sshd", path=_PATH) or "sshd", "-f", f"{host.local}/sshd_config"])
