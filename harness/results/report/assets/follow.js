// Served by `holdfast view`: load the page again when its run has grown.

const PAUSE = 5000;

/** Ask for the state of the run, and load the page again if it has changed. */
async function follow() {
  try {
    const answer = await fetch("/state", { cache: "no-store" });
    if (answer.ok && (await answer.text()) !== document.body.dataset.following) location.reload();
  } catch {
    // the server is gone; the page stays as it is
  }
  setTimeout(follow, PAUSE);
}

setTimeout(follow, PAUSE);
