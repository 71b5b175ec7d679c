"""Run a command where there is a Slurm of two nodes: a real one, on this machine, and gone when the command ends.

    python tests/slurm/cluster.py [--check] COMMAND ...

Controller, nodes and command live in namespaces of their own (mounts, processes, network): their ports and
/etc/slurm/slurm.conf are nobody else's, and all of them end with the command, however it ends. It needs root on Linux,
and Debian's slurm-wlm and munge, which are installed if they are not there; `--check` installs and starts nothing, and
says what is missing. For the command, SLURM_JOB_LOG is Slurm's own log of finished jobs.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NODES = 2
CPUS = 2  # of each node: jobs of the tests take 1 or 2
PACKAGES = ("slurm-wlm", "munge", "iproute2")
PROGRAMS = ("munged", "slurmctld", "slurmd", "ip")
SYSTEM = Path("/etc/slurm")  # what a job's environment does not name is looked for here
# Whoever ends first, and however, all in the namespaces ends with it.
APART = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
         "--mount-proc")  # fmt: skip
INSIDE = "ANCHORING_SLURM_FOLDER"  # set for the part that runs in the namespaces
PATIENCE = 60  # seconds until all nodes have to be idle

CONFIGURATION = """\
ClusterName=anchoring
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
# No cgroups: they are not there in every container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
# Two nodes on one machine: what is written here counts, not what slurmd finds.
SlurmdParameters=config_overrides
ReturnToService=2
SelectType=select/cons_tres
# Jobs go where fewest run: two of them are seen to use both nodes.
SelectTypeParameters=CR_Core_Memory,CR_LLN
# A job that takes more memory than it asked for is killed, within a second.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# No database: jobs are looked up with squeue while the controller knows them, and every one that ends is a line.
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.log
MinJobAge=3600
KillWait=5
SchedulerParameters=batch_sched_delay=1,sched_interval=2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName=node{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={mb} State=UNKNOWN\n"


def obstacle():
    """Why no Slurm can be started here; empty if one can."""
    if os.geteuid() != 0:
        return "it needs root"
    if missing(PROGRAMS) and missing(["apt-get"]):
        return f"{', '.join(missing(PROGRAMS))} not found, and no apt-get to install {' and '.join(PACKAGES)} with"
    if missing([APART[0], "unshare", "mount"]) or subprocess.run([*APART, "true"], capture_output=True).returncode:
        return "namespaces of its own (unshare) are not to be had"
    return ""


def missing(programs):
    return [program for program in programs if not shutil.which(program)]


def install():
    if missing(PROGRAMS):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=environment)
        command = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)


# --- in the namespaces ------------------------------------------------------------------------------------------------


def connect():
    """A new network namespace has a loopback that is down, and the resolver wants an address besides 127.0.0.1."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)


def configure(folder):
    """Write slurm.conf and the key, and put them where Slurm looks, for this namespace only."""
    host = socket.gethostname().split(".")[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    for name in ("etc", "munge", "state"):
        (folder / name).mkdir(mode=0o700)
    (folder / "munge/key").write_bytes(os.urandom(1024))
    (folder / "munge/key").chmod(0o400)
    (folder / "jobs.log").touch()
    text = CONFIGURATION.format(host=host, folder=folder)
    for i in range(1, NODES + 1):
        text += NODE.format(i=i, host=host, port=17000 + i, cpus=CPUS, mb=memory // NODES)
    (folder / "etc/slurm.conf").write_text(text)
    subprocess.run(["mount", "--bind", folder / "etc", SYSTEM], check=True)


def start(folder):
    """Start munge, controller and nodes and wait until the nodes are idle."""
    munge = [f"--{name}={folder}/munge/{name.removesuffix('-file')}" for name in ("socket", "pid-file", "log-file")]
    subprocess.run(["munged", "--force", f"--key-file={folder}/munge/key", f"--seed-file={folder}/munge/seed", *munge],
                   check=True)  # fmt: skip
    subprocess.run(["slurmctld"], check=True)
    for i in range(1, NODES + 1):
        subprocess.run(["slurmd", "-N", f"node{i}"], check=True)
    deadline = time.monotonic() + PATIENCE
    while True:
        states = subprocess.run(["sinfo", "--noheader", "--Node", "--format=%T"], capture_output=True, text=True)
        if states.stdout.split() == ["idle"] * NODES:
            return
        if time.monotonic() > deadline:
            logs = "".join(f"\n--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted(folder.glob("*.log")))
            sys.exit(f"Slurm's nodes are not idle after {PATIENCE} s: {states.stdout}{states.stderr}{logs}")
        time.sleep(0.2)


def inside(folder, command):
    connect()
    configure(folder)
    start(folder)
    environment = {**os.environ, "SLURM_JOB_LOG": str(folder / "jobs.log"), "SLURM_CONF": str(SYSTEM / "slurm.conf")}
    return subprocess.run(command, env=environment).returncode


def main(arguments):
    problem = obstacle()
    if problem or arguments[:1] == ["--check"]:
        print(f"no Slurm here: {problem}" if problem else "a Slurm can be started here")
        return int(bool(problem))
    if INSIDE in os.environ:
        return inside(Path(os.environ[INSIDE]), arguments)
    install()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A short path: a socket's name has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder:
        again = [*APART, sys.executable, __file__, *arguments]
        with subprocess.Popen(again, env={**os.environ, INSIDE: folder}) as run:
            try:
                return run.wait()
            finally:
                run.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
