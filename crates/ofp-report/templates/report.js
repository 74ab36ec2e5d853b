"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = new Map(data.map((x) => [x.id, x]));
  const list = document.getElementById("list");
  const lanes = ["customer", "dc", "paynet", "dp"];
  const names = { customer: "customer", dc: "DC", paynet: "PayNet", dp: "DP" };

  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const pretty = (text) => {
    try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
  };
  const pre = (text, label) => make("pre", { tabindex: "0", "aria-label": label }, text);
  const path = (url) => { try { return new URL(url).pathname; } catch { return url; } };
  const outcome = (x) => (x.status === undefined ? x.failed : String(x.status));

  // one line an exchange; what is in it is laid out when it is opened
  const line = (x) => {
    const text = `${x.id} ${x.method} ${path(x.url)}  ${names[x.from]} to ${names[x.to]}, ${outcome(x)}, ${x.duration_ms} ms`;
    const details = make("details", { class: "exchange", id: x.id }, make("summary", {}, text));
    details.addEventListener("toggle", () => { if (details.open) fill(details, x); });
    return details;
  };
  const message = (title, first, part) => {
    const side = make("div", {}, make("h3", {}, title));
    const headers = part ? part.headers.map(([name, value]) => `${name}: ${value}`).join("\n") : "";
    side.append(pre(`${first}\n${headers}`, `${title}: headers`));
    if (part && part.body) side.append(pre(pretty(part.body), `${title}: body`));
    return side;
  };
  const fill = (details, x) => {
    if (details.dataset.filled) return;
    details.dataset.filled = "yes";
    const facts = make("dl", {});
    const fact = (name, value) => { if (value) facts.append(make("dt", {}, name), make("dd", {}, value)); };
    fact("at", x.at);
    fact("consent", x.consent_id);
    fact("PayNet", x.note);
    fact("spoilt", x.spoilt);
    if (x.tls) {
      const { version, cipher, server, client, resumed, failure } = x.tls;
      fact("TLS", failure || `${version}, ${cipher}${resumed ? ", resumed" : ""}`);
      fact("server", server);
      fact("client", client);
    }
    if (x.client_certificate) fact("client", x.client_certificate.subject);
    details.append(facts);
    if (x.cause) {
      const because = make("p", {}, "made because of ", make("a", { href: `#${x.cause}` }, x.cause));
      details.append(because);
    }
    details.append(make("div", { class: "sides" },
      message("Request", `${x.method} ${x.url}`, x.request),
      message("Response", x.failed || String(x.status), x.response)));
    for (const token of x.decoded || []) {
      const text = JSON.stringify({ header: token.header, says: token.says }, null, 2);
      details.append(make("h3", {}, `${token.kind} in the ${token.in}, decoded`), pre(text, `${token.kind} decoded`));
    }
    if (x.decrypted) details.append(make("h3", {}, "What the DC decrypted"), pre(pretty(x.decrypted), "decrypted"));
  };

  // a sequence diagram: an arrow an exchange, each a link
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const draw = (place, ids) => {
    const step = 24, top = 34, gap = 250, left = 70;
    const all = ids.map((id) => byId.get(id)).filter(Boolean);
    const height = top + step * all.length + 16;
    const picture = svg("svg", { viewBox: `0 0 ${left * 2 + gap * 3} ${height}`, width: left * 2 + gap * 3, role: "group", "aria-label": `Sequence diagram of ${all.length} exchanges` });
    lanes.forEach((lane, at) => {
      const x = left + gap * at;
      picture.append(svg("line", { x1: x, y1: 22, x2: x, y2: height - 8, "stroke-dasharray": "3 4" }));
      picture.append(svg("text", { x, y: 14, "text-anchor": "middle", class: "lane" }, names[lane]));
    });
    all.forEach((x, at) => {
      const [a, b] = [x.from, x.to].map((lane) => left + gap * lanes.indexOf(lane));
      const y = top + step * (at + 0.6), toward = b > a ? -1 : 1;
      const bad = x.status === undefined || x.status >= 400;
      const link = svg("a", { href: `#${x.id}`, class: bad ? "bad" : "good", "aria-label": `${x.id} ${x.method} ${path(x.url)}, ${names[x.from]} to ${names[x.to]}, ${outcome(x)}` });
      link.append(svg("line", { x1: a, y1: y, x2: b, y2: y }));
      link.append(svg("path", { d: `M ${b + 7 * toward} ${y - 4} L ${b} ${y} L ${b + 7 * toward} ${y + 4}`, fill: "none" }));
      const room = Math.max(10, Math.floor(Math.abs(b - a) / 7.6) - 10);
      const name = path(x.url);
      const short = name.length > room ? `…${name.slice(-room)}` : name;
      link.append(svg("text", { x: (a + b) / 2, y: y - 4, "text-anchor": "middle" }, `${x.method} ${short} ${x.status === undefined ? "✗" : x.status}`));
      picture.append(link);
    });
    place.append(picture);
  };

  for (const x of data) list.append(line(x));
  for (const details of document.querySelectorAll(".scenario")) {
    const place = details.querySelector(".diagram");
    const show = () => { if (details.open && place && !place.firstChild) draw(place, details.dataset.exchanges.split(" ")); };
    details.addEventListener("toggle", show);
    show();
  }

  // a link to what is folded opens it
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.classList.remove("out");
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
    const focus = target.querySelector("summary") || target;
    focus.focus({ preventScroll: true });
  };
  addEventListener("hashchange", open);
  open();

  const query = document.getElementById("q"), hits = document.getElementById("hits");
  const texts = new Map(data.map((x) => [x.id, JSON.stringify(x).toLowerCase()]));
  const search = () => {
    const words = query.value.toLowerCase().trim();
    let count = 0;
    for (const node of document.querySelectorAll(".searchable, .exchange")) {
      const text = texts.get(node.id) || node.textContent.toLowerCase();
      const hit = !words || text.includes(words);
      node.classList.toggle("out", !hit);
      if (hit) count += 1;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.classList.toggle("out", !group.querySelector("tr.searchable:not(.out)"));
      if (words) group.open = true;
    }
    hits.textContent = words ? `${count} found` : "";
  };
  let later;
  query.addEventListener("input", () => { clearTimeout(later); later = setTimeout(search, 80); });
  document.getElementById("search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== query) { event.preventDefault(); query.focus(); }
    if (event.key === "Escape" && document.activeElement === query) { query.value = ""; search(); }
  });
})();
