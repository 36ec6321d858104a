// What keyboards and screen readers need beyond Streamlit: assist.py says what and why.

const TEXT = "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=range]), [contenteditable=true]";
const CARD = '[class*="st-key-card-"]';
const SETTLED = 700; // milliseconds for which the status line has to stay before it is read out
const PINNED = 15000; // milliseconds for which the place is kept while earlier messages are drawn

export default function render({ data, parentElement }) {
  const root = parentElement.querySelector(".assist");
  if (!root || !data) return;
  root.assist ??= new Assist(root);
  root.assist.update(JSON.parse(new TextDecoder().decode(data)));
}

class Assist {
  constructor(root) {
    this.root = root;
    this.words = root.querySelector(".announced-words");
    this.status = root.querySelector(".announced-status");
    this.newest = null; // of the messages that were read out
    this.lastStatus = null;
    this.onKey = (event) => this.pressed(event);
    this.onClick = (event) => this.clicked(event);
    this.onMove = () => (this.pinnedUntil = 0);
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("click", this.onClick, true);
    for (const name of ["wheel", "touchmove"]) document.addEventListener(name, this.onMove, { passive: true });
    this.observer = new MutationObserver(() => this.changed());
    this.observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  }

  remove() {
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("click", this.onClick, true);
    for (const name of ["wheel", "touchmove"]) document.removeEventListener(name, this.onMove);
    this.observer.disconnect();
  }

  get box() {
    return document.querySelector(".message-box textarea");
  }

  get card() {
    return document.querySelector(CARD);
  }

  /** Read a new message out; what was there when the page was opened is not new. */
  update({ chat, seq, text, copied }) {
    if (this.newest && copied.number > this.copied) this.copy(copied.text);
    this.copied = copied.number;
    if (this.newest?.chat === chat && seq > this.newest.seq) this.words.textContent = text;
    this.newest = { chat, seq };
    this.changed();
  }

  changed() {
    if (!this.root.isConnected) return this.remove();
    this.describeCard();
    this.reachTables();
    this.readStatus();
    this.enterForm();
    this.keepPlace();
  }

  describeCard() {
    const { card } = this;
    if (!card || card.tabIndex === -1 && card.role === "group") return;
    card.tabIndex = -1;
    card.role = "group";
    card.ariaLabel = `${card.querySelector("strong")?.textContent ?? "A decision"}. Y confirms, N declines, E edits.`;
  }

  /** A table that is wider than the page is scrolled by keys, too. */
  reachTables() {
    for (const table of document.querySelectorAll('[class*="st-key-table-"] [data-testid=stMarkdownContainer]')) {
      if (table.tabIndex === 0) continue;
      table.tabIndex = 0;
      table.role = "region";
      table.ariaLabel = "Table";
    }
  }

  readStatus() {
    const text = document.querySelector(".st-key-status")?.textContent.trim() ?? "";
    const kind = text.replace(/\d+/g, ""); // a countdown is read out once
    if (kind === this.lastStatus) return;
    const first = this.lastStatus === null;
    this.lastStatus = kind;
    clearTimeout(this.reading);
    if (!first) this.reading = setTimeout(() => (this.status.textContent = text), SETTLED);
  }

  // Copying

  async copy(text) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text); // only where the page came by https, or from this machine
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text, ariaHidden: "true" });
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    const note = Object.assign(document.createElement("div"), { className: "copied", role: "status" });
    document.body.append(note);
    note.textContent = done ? "Copied" : "This browser does not allow it. Select the text, and copy it.";
    setTimeout(() => note.remove(), done ? 1500 : 6000);
  }

  // Keys

  pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof Element && event.target.closest(TEXT);
    if (event.key === "Escape") return this.escape(event, typing);
    if (typing || event.repeat || event.shiftKey || !this.card?.contains(document.activeElement)) return;
    const button = this.button({ y: "confirm", n: "decline", e: "edit" }[event.key.toLowerCase()]);
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  /** The card's own button; none while its form is open, where a key could only be meant for something else. */
  button(name) {
    if (!name || this.form) return null;
    return this.card.querySelector(`[class*="st-key-${name}-"] button:enabled`);
  }

  get form() {
    return this.card?.querySelector("[data-testid=stForm]");
  }

  escape(event, typing) {
    if (document.querySelector("[data-baseweb=popover], [role=dialog]")) return; // Streamlit closes it
    const { box, card, form } = this;
    if (form) {
      const undo = [...card.querySelectorAll('[class*="st-key-edit-"] button')].at(-1);
      undo?.click();
      return box?.focus();
    }
    const cancel = document.querySelector(".st-key-rewrite-cancel button");
    if (cancel) {
      cancel.click();
      return box?.focus();
    }
    if (typing && event.target === box) {
      if (!box.value && card) card.focus();
      return;
    }
    box?.focus();
  }

  // Focus

  /** After a click the next key belongs to the message, not to the button. On a phone the keyboard would cover the page. */
  clicked(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest(".stButton button, .stFormSubmitButton button, .stExpander summary, [role=option], [role=menuitem]");
    if (!button || button.disabled) return;
    if (button.closest(".st-key-earlier")) this.pin();
    if (!matchMedia("(pointer: fine)").matches || button.closest(".st-key-message-box")) return;
    this.opening = button.closest('[class*="st-key-edit-"]') && !this.form ? performance.now() : 0;
    if (!this.opening) setTimeout(() => {
      if (getSelection()?.isCollapsed !== false && !document.querySelector("[role=dialog]")) this.box?.focus({ preventScroll: true });
    }, 50);
  }

  /** An edit form that was opened by a click begins with its first field. */
  enterForm() {
    const rewritten = document.querySelector(".st-key-rewritten textarea");
    if (rewritten && rewritten !== this.rewritten) {
      setTimeout(() => rewritten.focus(), 100);
      rewritten.setSelectionRange(rewritten.value.length, rewritten.value.length);
    }
    this.rewritten = rewritten;
    if (!this.opening) return;
    const late = performance.now() - this.opening > 5000;
    const field = late ? null : this.form?.querySelector(TEXT); // its widgets are loaded when they are needed first
    if (!late && !field) return;
    this.opening = 0;
    field?.focus();
  }

  // "Show earlier messages": what was read stays where it was, while the page grows above it

  pin() {
    const main = document.querySelector(".stMain");
    this.pinnedUntil = performance.now() + PINNED;
    this.below = main.scrollHeight - main.scrollTop;
  }

  keepPlace() {
    if (!this.pinnedUntil || performance.now() > this.pinnedUntil) return;
    const main = document.querySelector(".stMain");
    main.scrollTop = main.scrollHeight - this.below;
  }
}
