// The message box. message_box.py says why it is one; nothing here reaches any other host.

const MESSAGE = "steadfast.message.";
const DRAFT = "steadfast.draft.";
const AGAIN = 2000; // milliseconds until a message that the page does not know is handed over again
const LATE = 2500; // milliseconds after which a message is called waiting
const DAY = 86_400_000;

export default function render({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".message-box");
  if (!root || !data) return;
  root.box ??= new MessageBox(root, parentElement.querySelector(".message-box-hint"));
  root.box.update(JSON.parse(new TextDecoder().decode(data)), setStateValue);
}

/**
 * Messages that were sent and are not durable yet, and those that were discarded until the page knows it: one key each,
 * so that two tabs never overwrite one another.
 */
const unsent = {
  memory: new Map(), // what a browser without storage keeps
  add(message) {
    const key = `${MESSAGE}${String(message.at).padStart(15, "0")}.${message.id}`;
    try {
      localStorage.setItem(key, JSON.stringify(message));
    } catch {
      this.memory.set(key, message);
    }
  },
  all() {
    return this.everything().filter(({ discarded }) => !discarded);
  },
  discarded(chat) {
    return this.everything().filter((message) => message.discarded && message.chat === chat);
  },
  everything() {
    const found = new Map(this.memory);
    try {
      for (let index = 0; index < localStorage.length; index++) {
        const key = localStorage.key(index);
        if (!key.startsWith(MESSAGE)) continue;
        try {
          found.set(key, JSON.parse(localStorage.getItem(key)));
        } catch {
          localStorage.removeItem(key);
        }
      }
    } catch {
      // no storage
    }
    return [...found.keys()].sort().map((key) => found.get(key)).filter((message) => message?.id);
  },
  remove(id) {
    for (const key of [...this.memory.keys()]) if (key.endsWith(`.${id}`)) this.memory.delete(key);
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(MESSAGE) && key.endsWith(`.${id}`)) localStorage.removeItem(key);
      }
    } catch {
      // no storage
    }
  },
};

/** What is typed and not sent: this tab's own, else what the last tab left. */
const draft = {
  load(chat) {
    try {
      return sessionStorage.getItem(DRAFT + chat) ?? localStorage.getItem(DRAFT + chat) ?? "";
    } catch {
      return "";
    }
  },
  save(chat, text) {
    for (const name of ["sessionStorage", "localStorage"]) {
      try {
        if (text) window[name].setItem(DRAFT + chat, text);
        else window[name].removeItem(DRAFT + chat);
      } catch {
        // no storage, or it is full
      }
    }
  },
};

class MessageBox {
  constructor(root, hint) {
    this.root = root;
    this.hint = hint;
    this.textarea = root.querySelector("textarea");
    this.button = root.querySelector("button");
    this.data = { chat: null, messages: [], delivered: [], limit: Infinity, proposal: "" };
    this.last = 0; // time of the newest message: two within one millisecond keep their order
    this.revision = 0;
    this.handedOver = 0;
    this.textarea.addEventListener("input", () => this.typed());
    this.textarea.addEventListener("keydown", (event) => {
      // Enter that ends a composition (Japanese, Chinese, Korean …) belongs to the input method.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.send();
    });
    this.button.addEventListener("click", () => {
      this.send();
      this.textarea.focus();
    });
    this.onStorage = (event) => event.key?.startsWith(MESSAGE) && this.draw();
    window.addEventListener("storage", this.onStorage);
    // Nothing is drawn for a tab that nobody sees, once what runs is done.
    this.onVisibility = () => this.setStateValue?.("hidden", document.hidden);
    document.addEventListener("visibilitychange", this.onVisibility);
    // The script draws the transcript anew: its place for pending messages may be another element each time.
    this.observer = new MutationObserver(() => {
      if (this.place() !== this.drawnIn) this.draw();
      this.follow();
    });
    this.observer.observe(document.body, { childList: true, subtree: true });
    this.timer = setInterval(() => this.tick(), 500);
    this.main = document.querySelector(".stMain");
    this.following = true; // whether the end of the chat is in view, and stays so
    this.top = 0;
    this.onScroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = this.main;
      // Only the person scrolls up; while the page grows, its end may be out of view for a moment.
      if (scrollHeight - scrollTop - clientHeight < 60) this.following = true;
      else if (scrollTop < this.top) this.following = false;
      this.top = scrollTop;
    };
    this.main?.addEventListener("scroll", this.onScroll, { passive: true });
  }

  follow() {
    if (this.following && this.main && !this.data.first) this.main.scrollTop = this.main.scrollHeight;
  }

  update(data, setStateValue) {
    const first = this.data.chat === null;
    const changed = this.data.chat !== data.chat;
    const before = this.draftName;
    this.data = data;
    this.setStateValue = setStateValue;
    for (const id of data.delivered) unsent.remove(id);
    const listed = new Set(data.messages.map(({ id }) => id));
    if (data.revision === String(this.revision)) {
      for (const { id } of unsent.discarded(data.chat)) if (!listed.has(id)) unsent.remove(id);
    }
    if (!changed && before !== this.draftName) {
      draft.save(before, ""); // what was typed on the first screen goes on in the chat that began there
      draft.save(this.draftName, this.textarea.value);
    }
    if (changed) {
      this.textarea.value = draft.load(this.draftName);
      this.following = true;
    }
    this.textarea.placeholder = data.placeholder;
    this.textarea.disabled = data.disabled;
    this.resize();
    this.draw();
    this.follow();
    if (first && unsent.everything().length) this.handOver();
    if (first && document.hidden) this.onVisibility(); // opened in the background
    if (changed && document.activeElement === document.body && matchMedia("(pointer: fine)").matches) {
      this.textarea.focus({ preventScroll: true });
    }
  }

  /** The first screen has another chat in each tab; what is typed there is one draft. */
  get draftName() {
    return this.data.first ? "first" : this.data.chat;
  }

  typed() {
    draft.save(this.draftName, this.textarea.value);
    this.resize();
  }

  resize() {
    const { textarea, data } = this;
    textarea.style.height = "auto";
    textarea.style.height = `${Math.min(textarea.scrollHeight, 200)}px`;
    const length = [...textarea.value].length;
    const long = length > data.limit;
    this.hint.textContent = long
      ? `${length.toLocaleString("en")} of ${data.limit.toLocaleString("en")} characters: shorten the message to send it.`
      : length > data.limit * 0.8
        ? `${length.toLocaleString("en")} of ${data.limit.toLocaleString("en")} characters`
        : "";
    this.hint.classList.toggle("too-long", long);
    this.button.disabled = data.disabled || long || !textarea.value.trim();
  }

  send() {
    if (this.data.disabled || this.button.disabled) return;
    const { chat, proposal, messages, goal } = this.data;
    const before = unsent.all().some((message) => message.chat === chat) || messages.some((m) => m.state !== "failed");
    this.last = Math.max(Date.now(), this.last + 1);
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    // A plain yes or no decides the card that is shown only if no other message comes before it.
    unsent.add({ chat, id, text: this.textarea.value, proposal: before ? "" : proposal, goal, at: this.last });
    this.textarea.value = "";
    this.typed();
    this.following = true;
    this.draw();
    this.handOver();
  }

  /** Give the page all that is not acknowledged, not only the newest: a value that is overwritten loses nothing. */
  handOver() {
    const now = Date.now();
    const messages = unsent.all().filter(({ chat, at }) => chat === this.data.chat || now - at < DAY);
    this.handedOver = now;
    this.revision = Math.max(now, this.revision + 1);
    const discarded = unsent.discarded(this.data.chat).map(({ id }) => id);
    this.setStateValue("outbox", { revision: this.revision, messages, discarded });
  }

  tick() {
    if (!this.root.isConnected) {
      clearInterval(this.timer);
      this.observer.disconnect();
      window.removeEventListener("storage", this.onStorage);
      document.removeEventListener("visibilitychange", this.onVisibility);
      this.main?.removeEventListener("scroll", this.onScroll);
      return;
    }
    this.follow();
    const known = new Set(this.data.messages.map((message) => message.id));
    const unknown = unsent.all().filter(({ chat, id }) => chat === this.data.chat && !known.has(id));
    if (!unknown.length) return;
    this.draw();
    if (Date.now() - this.handedOver > AGAIN) this.handOver();
  }

  takeBack(message) {
    const typed = this.textarea.value;
    this.textarea.value = typed ? `${message.text}\n${typed}` : message.text;
    this.typed();
    this.textarea.focus();
    this.discard(message);
  }

  discard(message) {
    unsent.remove(message.id);
    unsent.add({ chat: this.data.chat, id: message.id, at: 0, discarded: true });
    this.draw();
    this.handOver();
  }

  place() {
    return document.querySelector(".pending-messages");
  }

  /** The bubbles of the messages on their way: those that the page knows, then those that it does not know yet. */
  draw() {
    const place = this.place();
    this.drawnIn = place;
    if (!place) return;
    const discarded = new Set(unsent.discarded(this.data.chat).map(({ id }) => id));
    const listed = this.data.messages.filter(({ id }) => !discarded.has(id));
    const known = new Set([...listed.map(({ id }) => id), ...this.data.delivered]);
    const own = unsent.all().filter(({ chat, id }) => chat === this.data.chat && !known.has(id));
    const now = Date.now();
    const all = [
      ...listed,
      ...own.map((message) => ({ ...message, state: "new", note: "", late: now - message.at > LATE })),
    ];
    const shown = JSON.stringify([all.map(({ id, state, note, late }) => [id, state, note, late]), this.data.disabled]);
    if (place.dataset.shown === shown) return;
    place.dataset.shown = shown;
    const held = all.findIndex(({ note, state }) => note && state === "waiting"); // what stands behind a message that waits, waits too
    place.replaceChildren(...all.map((message, index) => this.bubble(message, held >= 0 && index > held)));
  }

  bubble(message, held) {
    const bubble = element("div", `pending-message ${message.state}`);
    bubble.dataset.id = message.id;
    const label = { failed: `Not sent. ${message.note}`, sent: "sent" }[message.state];
    const waiting = message.note ? `waiting: ${message.note}` : message.late ? "waiting for the page" : held ? "waiting" : "sending";
    bubble.append(element("div", "text", message.text), element("div", "note", label ?? waiting));
    if (message.state === "failed") {
      const buttons = element("div", "buttons");
      if (!this.data.disabled) buttons.append(button("Edit", () => this.takeBack(message)));
      buttons.append(button("Discard", () => this.discard(message)));
      bubble.append(buttons);
    }
    return bubble;
  }
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function button(label, onClick) {
  const made = element("button", "", label);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}
