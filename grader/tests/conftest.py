import pytest


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Checks record progress: not in the learner's own file."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
