"""`holdfast view`: the page over HTTP, for this machine only, following a run that is still going."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import UserError
from holdfast.harness.actions.viewing import HOST, LivePage, serve, view
from tests.harness.fakes import Killed
from tests.harness.results.report.conftest import answering, run_of, trains


@contextmanager
def served(run: Path, *, rest: float = 0.0) -> Iterator[str]:
    """Serve a run, and yield the address."""
    with serve(LivePage([run], {}, rest), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fetched(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return str(answer.read().decode())


def killed_run(folder: Path, batches: int) -> Path:
    """A run that was killed before this batch of answers, to be resumed by `resume`."""
    fake = answering(new=2)
    fake.dies_at = batches
    with pytest.raises(Killed):
        run_of(folder, fake, tasks=[trains(10)])
    return folder


def resume(folder: Path) -> None:
    run_of(folder, answering(new=2), tasks=[trains(10)])


def test_the_page_and_its_state_are_served(compared: Path) -> None:
    with served(compared) as address:
        state = fetched(f"{address}/state")
        assert f'data-following="{state}"' in fetched(address)


def test_a_grown_run_has_another_state_and_page(tmp_path: Path) -> None:
    run = killed_run(tmp_path / "run", 30)
    with served(run) as address:
        state, page = fetched(f"{address}/state"), fetched(address)
        assert "not finished" in page
        resume(run)
        assert fetched(f"{address}/state") != state
        assert "not finished" not in fetched(address)


def test_the_machine_rests_between_two_pages(tmp_path: Path) -> None:
    run = killed_run(tmp_path / "run", 30)
    with served(run, rest=1e6) as address:
        fetched(address)
        state = fetched(f"{address}/state")
        resume(run)
        assert fetched(f"{address}/state") == state
        assert "not finished" not in fetched(address)  # whoever asks for the page gets the present one


def test_a_run_without_answers_is_waited_for(tmp_path: Path) -> None:
    run = killed_run(tmp_path / "run", 1)
    (run / "samples.jsonl").write_text("")
    with served(run) as address:
        assert "Nothing to show yet" in fetched(address)
        assert "no answers yet" in fetched(address)


def test_a_report_that_fails_is_waited_for(compared: Path) -> None:
    with serve(LivePage([compared], {"colour": "red"}), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page = fetched(f"http://{HOST}:{server.server_port}")
        server.shutdown()
        thread.join()
    assert "The report can&#39;t be made: TypeError:" in page
    assert "data-following=" in page


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/", "example.com", 403), ("/../run.json", None, 404), ("/samples.jsonl", None, 404)],
)
def test_nothing_else_is_served(compared: Path, path: str, host: str | None, status: int) -> None:
    with served(compared) as address, pytest.raises(urllib.error.HTTPError) as refused:
        fetched(address + path, **({"Host": host} if host else {}))
    assert refused.value.code == status


def test_a_taken_port_is_named(compared: Path) -> None:
    with serve(LivePage([compared], {}), 0) as server, pytest.raises(UserError, match="can't serve on port"):
        view([compared], port=server.server_port)


def test_a_folder_without_a_run_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run"):
        view([tmp_path])


def test_the_open_page_follows_the_run(tab: Any, tmp_path: Path) -> None:
    run = killed_run(tmp_path / "run", 30)
    with served(run) as address:
        tab.page.clock.install()
        page = tab.open(f"{address}/#answers?perturbation=typos")
        before = page.locator("#count").inner_text()
        resume(run)
        with page.expect_navigation():
            page.clock.fast_forward(6000)
        page.wait_for_selector("#rows tr")
        assert page.locator("#count").inner_text() != before
        assert page.url.endswith("#answers?perturbation=typos")
        assert not tab.complaints
