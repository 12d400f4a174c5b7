"use strict";

const POLL_MS = 1000;
const LISTED = 50; // of handsets.py
const HOUR_S = 3600;
const STATE_WORDS = { accepted: "on its way", sent: "sent ✓", delivered: "delivered ✓✓", undelivered: "undelivered" };
const CHANNEL_WORDS = { whatsapp: "WhatsApp", sms: "SMS" };

const byId = (id) => document.getElementById(id);
const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);

const known = { epoch: "", version: 0, asked: null, zone: undefined }; // `asked`: the question that was answered last
const desk = new Map(); // MSISDN → phone on the desk, the latest opened first
const seen = new Map(); // MSISDN → id of the latest bubble that the visitor saw
const putAway = new Set(); // phones closed by hand do not come back by themselves
let firstLook = true;
let clockOffsetS = 0;
let asking = 0;

/* words */

function spokenNumber(msisdn) {
  const malaysian = /^60(1\d)(\d{3,4})(\d{4})$/.exec(msisdn);
  return malaysian ? `+60 ${malaysian[1]}-${malaysian[2]} ${malaysian[3]}` : `+${msisdn}`;
}

/* On the sandbox's clock, whatever zone the browser lives in. */

function clockTime(iso) {
  return new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: known.zone });
}

function dayOf(iso) {
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: known.zone });
}

function dayNumber(at) {
  const [year, month, day] = at.toLocaleDateString("en-CA", { timeZone: known.zone }).split("-").map(Number);
  return Date.UTC(year, month - 1, day) / (24 * HOUR_S * 1000);
}

function daysAgo(iso) {
  return dayNumber(new Date()) - dayNumber(new Date(iso));
}

function spokenDay(iso) {
  return ["Today", "Yesterday"][daysAgo(iso)] ?? dayOf(iso);
}

function timeOrDay(iso) {
  return daysAgo(iso) === 0 ? clockTime(iso) : dayOf(iso);
}

function spokenRest(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / HOUR_S)}:${two(Math.floor((whole % HOUR_S) / 60))}:${two(whole % 60)}`;
}

function setFace(face, msisdn) {
  face.textContent = msisdn.slice(-2);
  face.className = `face face--${Number(msisdn.slice(-4)) % 8}`;
}

function setBadge(badge, channel) {
  badge.textContent = CHANNEL_WORDS[channel];
  badge.className = `badge badge--${channel}`;
}

/* asking the sandbox */

/* News alone is asked for only once this very question was answered: an answer that came too late, or never, is not
   missed, since whatever is asked after it asks for everything again. */
async function refresh() {
  const turn = ++asking;
  const question = new URLSearchParams({ q: byId("search").value, open: [...desk.keys()].join(",") }).toString();
  const since = known.asked === question ? `&after=${known.version}&epoch=${known.epoch}` : "";
  try {
    const answer = await fetch(`/handsets/updates?${question}${since}`);
    if (!answer.ok) throw new Error(answer.status);
    const news = await answer.json();
    if (turn === asking) {
      known.asked = question;
      show(news);
    }
    setLink("live", "Live");
  } catch {
    setLink("lost", "Trying again");
  }
}

async function write(message, form) {
  const error = form.querySelector(".error");
  try {
    const answer = await fetch("/sandbox/mo", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    });
    const said = await answer.json();
    error.textContent = said.error || "";
  } catch {
    error.textContent = "The sandbox does not answer. Your text is still here.";
  }
  error.hidden = !error.textContent;
  return error.hidden;
}

function setLink(state, words) {
  const link = byId("link");
  if (link.className === `link link--${state}`) return;
  link.className = `link link--${state}`;
  byId("link-words").textContent = words;
}

/* showing what it said */

function show(news) {
  if (known.epoch && known.epoch !== news.epoch) startOver();
  known.epoch = news.epoch;
  known.version = news.version;
  showZone(news.zone);
  clockOffsetS = news.now - Date.now() / 1000;
  showCounts(news.counts);
  news.threads.forEach(showThread);
  if (news.phones) showList(news.phones);
}

function startOver() {
  desk.forEach((phone) => phone.element.remove());
  desk.clear();
  seen.clear();
  putAway.clear();
  byId("empty").hidden = false;
}

function showZone(zone) {
  known.zone = zone;
  byId("zone").textContent = `Times are those of ${zone}.`;
}

function showCounts(counts) {
  for (const name of ["messages", "phones", "pending"]) {
    byId(`count-${name}`).textContent = counts[name].toLocaleString("en");
  }
  byId("empty-title").textContent = counts.phones ? "No phone is open: choose one" : "No phone has heard from you yet";
  const [whole, decimals] = counts.balance.split(".");
  byId("count-balance").textContent = `${Number(whole).toLocaleString("en")}.${decimals.slice(0, 2)}`;
}

function showList(phones) {
  if (firstLook) phones.forEach((phone) => seen.set(phone.msisdn, phone.latest.id));
  firstLook = false;
  const focused = document.activeElement?.dataset?.msisdn;
  byId("list").replaceChildren(...phones.map(listLine));
  if (focused) byId("list").querySelector(`[data-msisdn="${focused}"]`)?.focus();
  showNote(phones.length);
  if (!byId("search").value) fillDesk(phones);
}

function showNote(count) {
  const searched = byId("search").value.trim();
  byId("list-note").hidden = count < LISTED;
  byId("nobody").hidden = count > 0 || !searched;
  if (count || !searched) return;
  const isNumber = /^[\d\s()+.-]+$/.test(searched);
  byId("nobody-why").textContent = isNumber
    ? `No phone with “${searched}” in its number has got a message or written in yet.`
    : `“${searched}” stands in none of the latest messages. Digits find a number.`;
  const msisdn = wholeNumber(searched);
  byId("nobody-write").textContent = msisdn ? `Let ${spokenNumber(msisdn)} write in` : "Let a new phone write in";
}

/* As the provider wants it, with its country; a Malaysian may leave that out. Nothing if it is only a part. */
function wholeNumber(typed) {
  const digits = typed.replace(/\D/g, "").replace(/^0/, "60");
  return digits.length >= 10 && digits.length <= 15 ? digits : "";
}

function listLine(phone) {
  const item = clone("line-template");
  const line = item.querySelector(".line");
  line.dataset.msisdn = phone.msisdn;
  setFace(item.querySelector(".face"), phone.msisdn);
  item.querySelector(".line__number").textContent = spokenNumber(phone.msisdn);
  const time = item.querySelector("time");
  time.dateTime = phone.latest.at;
  time.textContent = timeOrDay(phone.latest.at);
  const shown = phone.found ?? phone.latest;
  item.querySelector(".line__text").textContent = (shown.side === "mo" ? "↩ " : "") + shown.text;
  setBadge(item.querySelector(".badge"), phone.latest.channel);
  if (desk.has(phone.msisdn)) seen.set(phone.msisdn, phone.latest.id);
  line.classList.toggle("line--new", seen.get(phone.msisdn) !== phone.latest.id);
  line.setAttribute("aria-current", desk.has(phone.msisdn));
  line.addEventListener("click", () => open(phone.msisdn, { byHand: true }));
  return item;
}

/* the desk */

function isNarrow() {
  return window.matchMedia("(max-width: 760px)").matches;
}

function room() {
  if (isNarrow()) return 1;
  return Math.max(1, Math.min(4, Math.floor((byId("desk").clientWidth - 20) / 330)));
}

function fillDesk(phones) {
  for (const phone of phones) {
    if (isNarrow() || desk.size >= room()) break;
    if (!putAway.has(phone.msisdn)) open(phone.msisdn);
  }
}

function fitDesk() {
  const most = isNarrow() && !document.body.classList.contains("phone-open") ? 0 : room();
  while (desk.size > most) remove(leastUsed());
  refresh();
}

function open(msisdn, { byHand = false } = {}) {
  putAway.delete(msisdn);
  if (!desk.has(msisdn)) {
    while (desk.size >= room()) remove(leastUsed());
    desk.set(msisdn, makePhone(msisdn));
    byId("desk")[byHand ? "prepend" : "append"](desk.get(msisdn).element); // what one chose stands first
    markLine(msisdn);
    known.asked = null; // it may have lain here before, under the same question
    refresh();
  }
  byId("empty").hidden = true;
  if (!byHand) return;
  desk.get(msisdn).usedAt = Date.now();
  document.body.classList.add("phone-open");
  history.replaceState(null, "", `#${msisdn}`);
  if (!isNarrow()) desk.get(msisdn).element.querySelector("textarea").focus();
}

function leastUsed() {
  return [...desk].reduce((least, entry) => (entry[1].usedAt <= least[1].usedAt ? entry : least))[0];
}

function remove(msisdn) {
  desk.get(msisdn)?.element.remove();
  desk.delete(msisdn);
  markLine(msisdn);
  byId("empty").hidden = desk.size > 0;
}

function markLine(msisdn) {
  const line = byId("list").querySelector(`[data-msisdn="${msisdn}"]`);
  line?.setAttribute("aria-current", desk.has(msisdn));
  line?.classList.remove("line--new");
}

function makePhone(msisdn) {
  const element = clone("phone-template");
  const phone = { element, usedAt: 0, about: null, bubbles: new Map(), days: new Set() };
  element.setAttribute("aria-label", spokenNumber(msisdn));
  setFace(element.querySelector(".face"), msisdn);
  element.querySelector(".phone__number").textContent = spokenNumber(msisdn);
  element.querySelector(".phone__close").addEventListener("click", () => {
    putAway.add(msisdn);
    remove(msisdn);
  });
  element.querySelector(".phone__back").addEventListener("click", () => {
    document.body.classList.remove("phone-open");
    history.replaceState(null, "", location.pathname);
    remove(msisdn);
    refresh();
  });
  listenForReplies(msisdn, phone);
  return phone;
}

function listenForReplies(msisdn, phone) {
  const form = phone.element.querySelector(".reply__form");
  const send = async (text) => {
    phone.usedAt = Date.now();
    const message = { msisdn, text, channel: form.elements.channel.value };
    if (phone.about) message.user = phone.about.user;
    const sent = await write(message, phone.element.querySelector(".reply"));
    refresh();
    return sent;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const box = form.elements.text;
    if (box.value.trim() && (await send(box.value))) box.value = "";
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.elements.text.addEventListener("input", () => (phone.usedAt = Date.now()));
  phone.element.querySelector(".quick").addEventListener("click", (event) => {
    if (event.target.dataset.text) send(event.target.dataset.text);
  });
}

function showThread(thread) {
  const phone = desk.get(thread.msisdn);
  if (!phone) return;
  const first = !phone.about;
  phone.about = thread;
  if (first) phone.element.querySelector("[name=channel]").value = thread.channel;
  phone.element.querySelector(".reply__hint").hidden = thread.heard;
  const box = phone.element.querySelector(".thread");
  const atEnd = first || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  thread.bubbles.forEach((bubble) => showBubble(phone, box, bubble, first));
  if (atEnd) box.scrollTop = box.scrollHeight;
  showWindow(phone);
}

function showBubble(phone, box, bubble, first) {
  let element = phone.bubbles.get(bubble.id);
  if (!element) {
    addDay(phone, box, bubble.at);
    element = newBubble(bubble);
    element.classList.toggle("bubble--fresh", !first);
    phone.bubbles.set(bubble.id, element);
    box.append(element);
  }
  if (bubble.side === "mt") showState(element.querySelector(".state"), bubble);
}

function addDay(phone, box, at) {
  const day = dayOf(at);
  if (phone.lastDay === day) return;
  phone.lastDay = day;
  const line = document.createElement("p");
  line.className = "day";
  line.textContent = spokenDay(at);
  box.append(line);
}

function newBubble(bubble) {
  const element = clone("bubble-template");
  element.classList.add(`bubble--${bubble.side}`);
  element.querySelector(".bubble__text").textContent = bubble.text;
  setBadge(element.querySelector(".badge"), bubble.channel);
  const time = element.querySelector("time");
  time.dateTime = bubble.at;
  time.textContent = clockTime(bubble.at);
  return element;
}

function showState(state, bubble) {
  const words = bubble.error ? `${STATE_WORDS[bubble.state]}: ${bubble.error}` : STATE_WORDS[bubble.state];
  state.textContent = bubble.untold ? `${words} · the hook did not take the DN` : words;
  state.className = `state state--${bubble.untold ? "untold" : bubble.state}`;
}

function showWindow(phone) {
  const line = phone.element.querySelector(".window");
  const endsAt = phone.about?.window_ends_at;
  const restS = endsAt ? endsAt - (Date.now() / 1000 + clockOffsetS) : 0;
  line.className = `window window--${restS <= 0 ? "closed" : restS < 2 * HOUR_S ? "closing" : "open"}`;
  if (restS > 0) line.textContent = `Window open ${spokenRest(restS)}`;
  else line.textContent = endsAt ? "Window closed · template only" : "Never wrote · template only";
}

/* a new phone writes in */

function anyNumber() {
  return `6019${String(Math.floor(Math.random() * 1e7)).padStart(7, "0")}`;
}

function listenForWriter() {
  const form = byId("writer-form");
  byId("writer-any").addEventListener("click", () => (form.elements.msisdn.value = anyNumber()));
  const offer = (msisdn) => {
    byId("writer").open = true;
    form.elements.msisdn.value = msisdn || form.elements.msisdn.value || anyNumber();
    form.elements.text.focus();
  };
  byId("empty-write").addEventListener("click", () => offer());
  byId("nobody-write").addEventListener("click", () => offer(wholeNumber(byId("search").value)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const msisdn = form.elements.msisdn.value.replace(/[^0-9]/g, "");
    const message = { msisdn, text: form.elements.text.value, channel: form.elements.channel.value };
    if (!(await write(message, form))) return;
    form.elements.msisdn.value = "";
    byId("writer").open = false;
    byId("search").value = "";
    open(msisdn, { byHand: true });
    refresh();
  });
}

/* from here on by itself */

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_MS);
}

listenForWriter();
byId("search").addEventListener("input", refresh);
window.addEventListener("resize", fitDesk);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(() => desk.forEach(showWindow), 1000);
if (/^#\d{5,15}$/.test(location.hash)) open(location.hash.slice(1), { byHand: true });
poll();
