import subprocess
import sys


def test_the_package_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "frl.cli", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("frl: error: unknown command 'nothing'")
