// The page: reads the state from the URL, shows it, and turns what the reader does into a new state.

const CHOICES = 60;

/** The list of answers with its filters. */
class AnswersView {
  #answers;
  #state;
  #rows = [];
  #form = document.getElementById("filters");
  #body = document.getElementById("rows");
  #heads = document.querySelectorAll("#list th[data-sort]");

  constructor(answers) {
    this.#answers = answers;
    this.#state = stateOf(location.hash) ?? usualState(document.body.dataset.candidate);
    for (const name of FILTERS) this.#fill(this.#form.elements[name], answers.values(FIELDS[name] ?? name));
    for (const id of ["filters", "list", "pages"]) document.getElementById(id).hidden = false;
    this.#listen();
    this.#show();
    if (stateOf(location.hash)) document.getElementById("answers").scrollIntoView();
  }

  /** Offer all values of a field; the first option is no filter. */
  #fill(select, values) {
    const all = [...values].sort(new Intl.Collator(undefined, { numeric: true }).compare);
    const [shown, others] = [all.slice(0, CHOICES), all.length - CHOICES];
    const option = (value, text) => made("option", { value: JSON.stringify(value) }, text);
    select.replaceChildren(option(null, "all"), ...shown.map((value) => option(value, value || "none")));
    if (others > 0) select.append(made("option", { disabled: "" }, `${others} more are not listed`));
    select.parentElement.hidden = shown.length === 0;
  }

  #listen() {
    this.#form.addEventListener("input", ({ target }) => {
      const change = target.name === "q" ? { q: target.value } : { [target.name]: JSON.parse(target.value) };
      this.#go({ ...change, page: 1, answer: "" }, { replace: target.name === "q" });
    });
    this.#form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.#go(usualState(""));
    });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    for (const head of this.#heads) {
      head.firstElementChild.addEventListener("click", () => {
        this.#go({ sort: nextSort(head.dataset.sort, this.#state.sort), page: 1, answer: "" });
      });
    }
    this.#body.addEventListener("click", ({ target }) => {
      const pick = target.closest(".pick");
      if (!pick) return;
      const id = this.#answers.id(Number(pick.closest("tr").dataset.row));
      this.#go({ answer: this.#openId() === id ? "none" : id }, { replace: true });
    });
    document.getElementById("pages").addEventListener("click", ({ target }) => {
      if (!target.dataset.step) return;
      this.#go({ page: this.#state.page + Number(target.dataset.step), answer: "" });
      document.getElementById("answers").scrollIntoView();
    });
    window.addEventListener("hashchange", () => {
      const state = location.hash ? stateOf(location.hash) : usualState(document.body.dataset.candidate);
      if (!state) return;
      this.#state = state;
      this.#show();
      document.getElementById("answers").scrollIntoView();
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      this.#form.elements.q.focus();
    }
    const inList = event.target.closest?.("#list") !== null;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ...(inList ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
    if (event.target.closest?.(".scroll") || !(event.key in steps)) return;
    event.preventDefault();
    this.#step(steps[event.key]);
  }

  /** Open the next answer, or the one before; at the end of a page, turn it. */
  #step(by) {
    const at = this.#rows.findIndex((row) => this.#answers.id(row) === this.#openId());
    const place = Math.min(Math.max(at + by, 0), this.#rows.length - 1);
    if (place < 0) return;
    const answer = this.#answers.id(this.#rows[place]);
    this.#go({ answer }, { replace: true });
    this.#body.querySelector("tr.open .pick")?.focus({ preventScroll: true });
    this.#body.querySelector("tr.open")?.scrollIntoView({ block: "nearest" });
  }

  /** Change the state, and the URL with it. */
  #go(change, { replace = false } = {}) {
    this.#state = { ...this.#state, ...change };
    const hash = hashOf(this.#state);
    if (replace) history.replaceState(null, "", hash);
    else if (hash !== location.hash) history.pushState(null, "", hash);
    this.#show();
  }

  /** The id of the answer that is open: the one asked for, or else the first of the page. */
  #openId() {
    if (this.#state.answer) return this.#state.answer;
    const first = this.#rows[(this.#state.page - 1) * PAGE];
    return first === undefined ? "" : this.#answers.id(first);
  }

  #show() {
    const state = this.#state;
    for (const name of FILTERS) this.#form.elements[name].value = JSON.stringify(state[name]);
    if (this.#form.elements.q.value !== state.q) this.#form.elements.q.value = state.q;
    this.#rows = chosenRows(this.#answers, state);
    const pages = Math.max(1, Math.ceil(this.#rows.length / PAGE));
    const open = this.#rows.findIndex((row) => this.#answers.id(row) === state.answer);
    state.page = open < 0 ? Math.min(state.page, pages) : 1 + Math.floor(open / PAGE);
    const shown = this.#rows.slice((state.page - 1) * PAGE, state.page * PAGE);
    this.#body.replaceChildren(...shown.map((row) => listRow(this.#answers, row)));
    this.#open();
    showSort(this.#heads, state.sort);
    const [found, all] = [this.#rows.length, this.#answers.size].map((count) => count.toLocaleString("en"));
    document.getElementById("count").textContent = found === all ? `${all} answers` : `${found} of ${all} answers`;
    document.getElementById("page-name").textContent = `Page ${state.page} of ${pages}`;
    const [previous, next] = document.querySelectorAll("#pages button");
    [previous.disabled, next.disabled] = [state.page === 1, state.page === pages];
  }

  /** Open the answer that the state asks for, if it is on this page. */
  #open() {
    const id = this.#openId();
    for (const line of this.#body.children) {
      const row = Number(line.dataset.row);
      if (this.#answers.id(row) !== id) continue;
      line.className = "open";
      const pick = line.querySelector(".pick");
      pick.setAttribute("aria-expanded", "true");
      pick.setAttribute("aria-controls", "detail");
      line.after(detailRow(this.#answers, row));
      return;
    }
  }
}

decoded(document.getElementById("data").textContent)
  .then((content) => new AnswersView(new Answers(content)))
  .catch((error) => {
    document.getElementById("count").textContent = `The answers can't be shown: ${error.message}`;
  });
