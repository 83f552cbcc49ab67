/* The sample browser: data open when looked at, a list that draws only the rows in view, all texts as text. */
(() => {
  const ROW = 32;
  const MARKS = { 1: "✓", 0: "✗", p: "◐", u: "?", t: "…", f: "!", "-": "·" };
  const NAMES = { 1: "right", 0: "wrong", p: "partly right", u: "unparsed", t: "truncated", f: "failed", "-": "not asked" };
  const STEER = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  const shownText = (text) => String(text).replace(STEER, (c) => `⟨U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = shownText(text);
    return element;
  };

  /* A piece lies in the page, or beside it as a script: a page opened from disk may read no other file. */
  const KEPT = 40;
  const opened = new Map();
  const waiting = new Map();
  let folder = "";
  globalThis.spatialevalPiece = (id, data) => {
    const wanted = waiting.get(id);
    waiting.delete(id);
    if (wanted) wanted(data);
  };
  const textOfPiece = (id) => {
    const inside = document.getElementById(id);
    if (inside) return Promise.resolve(inside.textContent);
    return new Promise((resolve, reject) => {
      const script = make("script");
      waiting.set(id, resolve);
      script.addEventListener("error", () => reject(new Error(`${folder}/${id}.js cannot be read`)));
      script.addEventListener("load", () => script.remove());
      script.src = `${folder}/${id}.js`;
      document.head.append(script);
    });
  };
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(await textOfPiece(id)), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  };
  const load = (id) => {
    const piece = opened.get(id) || unpack(id);
    opened.delete(id);
    opened.set(id, piece);
    piece.catch(() => opened.delete(id));
    if (opened.size > KEPT) opened.delete(opened.keys().next().value);
    return piece;
  };

  const form = document.getElementById("sample-filters");
  const list = document.getElementById("sample-list");
  const spacer = list.firstElementChild;
  const panel = document.getElementById("sample");
  const count = document.getElementById("sample-count");
  const fields = form.elements;
  let piece = 1;
  let tasks = [];
  let task = null;
  let found = [];
  let chosen = -1;
  const asked = { filters: 0, shown: -1 };
  const STATES = { unparsed: "u", truncated: "t", failed: "f" };
  const letterOf = (answer) => STATES[answer.state] || (answer.score === 1 ? "1" : answer.score ? "p" : "0");

  const nameOf = (run) => {
    const several = (key) => new Set(task.runs.map((one) => one[key])).size > 1;
    return [run.model, several("protocol") && run.protocol, several("strategy") && run.strategy, run.apart].filter(Boolean).join(", ");
  };
  const fill = (select, first, names) => {
    const options = names.map((name, place) => {
      const option = make("option", "", name);
      option.value = String(place);
      return option;
    });
    if (first) {
      const all = make("option", "", first);
      all.value = "";
      options.unshift(all);
    }
    select.replaceChildren(...options);
  };

  const draw = () => {
    const top = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const end = Math.min(found.length, top + Math.ceil(list.clientHeight / ROW) + 10);
    const rows = [];
    for (let place = top; place < end; place += 1) {
      const item = found[place];
      const row = make("div", place === chosen ? "row chosen" : "row");
      row.id = `row-${place}`;
      row.style.top = `${place * ROW}px`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(place === chosen));
      row.setAttribute("aria-setsize", String(found.length));
      row.setAttribute("aria-posinset", String(place + 1));
      const marks = make("span", "marks");
      task.states.slice(0, 12).forEach((states, run) => {
        const mark = make("span", `mark k${states[item]}`, MARKS[states[item]]);
        mark.title = shownText(`${nameOf(task.runs[run])}: ${NAMES[states[item]]}`);
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", mark.title);
        marks.append(mark);
      });
      if (task.states.length > 12) marks.append(make("small", "", `+${task.states.length - 12}`));
      row.append(marks, make("span", "what", task.text[item] || task.ids[item]), make("span", "where", task.categories[task.category[item]]));
      row.addEventListener("click", () => choose(place));
      rows.push(row);
    }
    spacer.replaceChildren(...rows);
    if (chosen >= 0) list.setAttribute("aria-activedescendant", `row-${chosen}`);
    else list.removeAttribute("aria-activedescendant");
  };

  const pair = (into, term, value) => {
    if (value === undefined || value === null || value === "") return;
    into.append(make("dt", "", term), make("dd", "", value));
  };
  const text = (title, body, open) => {
    const details = make("details");
    details.open = open;
    details.append(make("summary", "", title), make("pre", "", body));
    return details;
  };
  const pictureOf = ([name, digest], thumbs) => {
    const figure = make("figure");
    if (thumbs[digest]) {
      const image = make("img");
      image.src = thumbs[digest];
      image.alt = shownText(name);
      figure.append(image);
    }
    figure.append(make("figcaption", "", thumbs[digest] ? name : `${name} (not in this page)`));
    return figure;
  };
  const formOf = (form, first, thumbs) => {
    const parts = [make("p", "hint", `asked as: ${form.view || "it is"}`)];
    if (form.question !== first.question) parts.push(make("pre", "", form.question));
    const facts = make("dl");
    if (form.target !== first.target) pair(facts, "right answer here", form.target);
    const media = make("div", "media");
    const shown = new Set(first.media.map(([, digest]) => digest));
    media.append(...form.media.filter(([, digest]) => !shown.has(digest)).map((one) => pictureOf(one, thumbs)));
    return [...parts, facts, media];
  };
  const answerOf = (answer, item, held, thumbs) => {
    const card = make("section", "answer");
    const state = letterOf(answer);
    const name = nameOf(task.runs[answer.run]);
    const mark = make("span", `mark k${state}`, MARKS[state]);
    mark.setAttribute("aria-hidden", "true");
    const head = make("h4", "", name);
    head.prepend(mark, " ");
    const facts = make("dl");
    pair(facts, "outcome", `${NAMES[state]}${answer.score === undefined ? ", not scored" : `, score ${Math.round(answer.score * 1000) / 1000}`}`);
    pair(facts, "read", answer.read);
    pair(facts, "by rule", answer.rule);
    pair(facts, "ended", answer.finish);
    pair(facts, "failure", [answer.failure, answer.message].filter(Boolean).join(": "));
    card.append(head);
    if (answer.form) card.append(...formOf(held.forms[answer.form], held.forms[0], thumbs));
    card.append(facts, make("pre", "reply", answer.reply === undefined ? "(no reply)" : answer.reply));
    if (answer.thoughts) card.append(text("Thoughts", answer.thoughts, false));
    if (held.sent.length > 1 && answer.sent !== undefined) card.append(make("p", "hint", `sent: wording ${answer.sent + 1}`));
    return card;
  };
  const tell = (error) => {
    count.textContent = shownText(error.message);
    panel.replaceChildren(make("p", "grave", error.message));
  };
  const show = async (item) => {
    asked.shown = item;
    const { items, thumbs } = await load(`samples-${tasks.indexOf(task)}-${Math.floor(item / piece)}`);
    if (asked.shown !== item) return;
    const held = items[item % piece];
    const first = held.forms[0];
    const media = make("div", "media");
    media.append(...first.media.map((one) => pictureOf(one, thumbs)));
    const facts = make("dl");
    pair(facts, "sample", task.ids[item]);
    pair(facts, "category", task.categories[task.category[item]]);
    pair(facts, "right answer", first.target);
    const answers = make("div", "answers");
    answers.append(...held.answers.map((answer) => answerOf(answer, item, held, thumbs)));
    const several = held.sent.length > 1;
    const sent = held.sent.map((one, place) => text(several ? `Sent, wording ${place + 1}` : "What was sent", one, false));
    panel.replaceChildren(make("h3", "", first.question || task.ids[item]), media, facts, answers, ...sent);
    panel.scrollTop = 0;
  };

  const choose = (place) => {
    if (!found.length) return;
    chosen = Math.max(0, Math.min(found.length - 1, place));
    const top = chosen * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
    show(found[chosen]).catch(tell);
  };

  const textOf = (item, place) => [task.ids[place], ...item.forms.flatMap((form) => [form.question, form.target]), ...item.answers.map((one) => one.reply || "")].join("\n").toLowerCase();
  const AHEAD = 8;
  const search = async (places, words, ticket) => {
    const numbers = [...new Set(places.map((place) => Math.floor(place / piece)))];
    const wanted = new Map(numbers.map((number) => [number, []]));
    for (const place of places) wanted.get(Math.floor(place / piece)).push(place);
    const hits = [];
    for (let start = 0; start < numbers.length; start += AHEAD) {
      const some = numbers.slice(start, start + AHEAD);
      const loaded = await Promise.all(some.map((number) => load(`samples-${tasks.indexOf(task)}-${number}`)));
      if (ticket !== asked.filters) return null;
      count.textContent = `searching… ${Math.floor((100 * start) / numbers.length)} %`;
      some.forEach((number, nth) => {
        const { items } = loaded[nth];
        hits.push(...wanted.get(number).filter((place) => textOf(items[place % piece], place).includes(words)));
      });
    }
    return hits;
  };
  const filter = async () => {
    asked.filters += 1;
    const ticket = asked.filters;
    const { run, other, state, category, words } = Object.fromEntries(new FormData(form));
    const watched = run === "" ? task.states : [task.states[run]];
    const right = (states, place) => states[place] === "1";
    let places = task.ids.map((_, place) => place).filter((place) => {
      if (category !== "" && task.category[place] !== Number(category)) return false;
      if (state && !watched.some((states) => state.includes(states[place]))) return false;
      if (other === "") return true;
      const against = task.states[other];
      return against[place] !== "-" && watched.some((states) => states[place] !== "-" && right(states, place) !== right(against, place));
    });
    if (words.trim()) {
      count.textContent = "searching…";
      places = await search(places, words.trim().toLowerCase(), ticket).catch(tell);
      if (!places) return;
    }
    found = places;
    chosen = -1;
    spacer.style.height = `${found.length * ROW}px`;
    list.scrollTop = 0;
    asked.shown = -1;
    count.textContent = `${found.length.toLocaleString("en")} of ${task.ids.length.toLocaleString("en")} questions`;
    draw();
  };
  const start = (place) => {
    task = tasks[place];
    const names = task.runs.map(nameOf);
    fill(fields.run, "any", names);
    fill(fields.other, "nothing", names);
    fill(fields.category, "all", task.categories);
    panel.replaceChildren(make("p", "hint", "Choose a question."));
    return filter();
  };

  let pause;
  form.addEventListener("input", (event) => {
    clearTimeout(pause);
    if (event.target === fields.task) start(Number(fields.task.value));
    else if (event.target === fields.words) pause = setTimeout(filter, 200);
    else filter();
  });
  form.addEventListener("reset", () => setTimeout(() => start(Number(fields.task.value))));
  form.addEventListener("submit", (event) => event.preventDefault());
  list.addEventListener("scroll", () => requestAnimationFrame(draw));
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(chosen < 0 && steps[event.key] > 0 && steps[event.key] !== Infinity ? 0 : chosen + steps[event.key]);
  });
  load("samples-index").then((index) => {
    piece = index.piece;
    tasks = index.tasks;
    folder = index.beside;
    fill(fields.task, "", tasks.map((one) => one.task));
    return start(0);
  }).catch(tell);
})();
