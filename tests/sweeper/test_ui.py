import re
import signal
import socket
import subprocess
import urllib.request

from tests.conftest import Project


def test_the_ui_answers_on_loopback_and_stops_at_ctrl_c(project: Project) -> None:
    assert project.sweeper("run", "space.yaml", "--inline").returncode == 0
    with subprocess.Popen(
        project.command("ui"), cwd=project.path, env=project.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.fullmatch(r"MLflow UI: (http://127\.0\.0\.1:(\d+))  \(Ctrl-C stops it\)\n", line)
        assert found, line
        with urllib.request.urlopen(f"{found[1]}/health", timeout=10) as answer:  # noqa: S310
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
        assert process.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found[2]))) != 0
