// Puts new events on top of the list on the Today page. The list is there
// without this; a pause keeps it still while somebody reads.
const bar = document.querySelector("[data-live]");
const list = document.querySelector("ol.events");
const most = 30;

if (bar && list && "EventSource" in window) {
  const word = bar.querySelector("[data-live-word]");
  const button = bar.querySelector("[data-live-toggle]");
  const label = button.querySelector("span");
  let last = bar.dataset.after;
  let source;

  const address = (event) =>
    event.documentId ? `/documents/${event.documentId}` : event.transmissionId ? `/transmissions/${event.transmissionId}` : "";

  const tones = [
    [/negative|refused|invalid|failed|unreadable|unmatched/, "bad"],
    [/overdue|retry/, "warn"],
    [/duplicate/, "mute"],
    [/valid|processed|receipt|acknowledgement|done/, "good"],
  ];
  const tone = (kind) => tones.find(([pattern]) => pattern.test(kind))?.[1] ?? "info";

  // What is hidden or turns the direction of writing is shown by its number.
  const visible = (text) =>
    text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g,
      (c) => `[U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

  const row = (event) => {
    const item = document.createElement("li");
    item.className = `${tone(event.kind)} fresh`;
    item.dataset.event = event.id;
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.title = event.kind;
    const twin = list.querySelector(`.mark[title="${CSS.escape(event.kind)}"] svg`) ?? list.querySelector(".mark svg");
    if (twin) mark.append(twin.cloneNode(true));
    const time = document.createElement("time");
    time.dateTime = event.at;
    time.textContent = clock(event.at);
    const what = document.createElement("span");
    what.className = "what";
    const text = document.createElement("bdi");
    text.textContent = visible(event.text[0].toUpperCase() + event.text.slice(1)).slice(0, 400);
    const link = address(event);
    if (link) {
      const a = document.createElement("a");
      a.href = link;
      a.append(text);
      what.append(a);
    } else {
      what.append(text);
    }
    item.append(mark, time, what);
    if (event.partner) {
      const of = document.createElement("bdi");
      of.className = "by of";
      of.textContent = visible(event.partner).slice(0, 40);
      item.append(of);
    }
    return item;
  };

  // The station's zone, as the server writes it in the rows it drew.
  const zone = document.documentElement.dataset.zone;
  const clock = (at) => {
    const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" };
    try {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(new Date(at));
    } catch {
      return new Intl.DateTimeFormat("en-GB", options).format(new Date(at));
    }
  };

  const open = () => {
    source = new EventSource(bar.dataset.live + (last ? `?after=${encodeURIComponent(last)}` : ""));
    source.onopen = () => {
      bar.classList.remove("broken");
      word.textContent = "Live";
    };
    source.onerror = () => {
      bar.classList.add("broken");
      word.textContent = source.readyState === EventSource.CLOSED ? "Not connected" : "Connecting again";
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      last = event.id > last ? event.id : last;
      if (list.querySelector(`[data-event="${CSS.escape(event.id)}"]`)) return;
      document.querySelector("[data-live-empty]")?.remove();
      const after = [...list.children].find((item) => item.dataset.event < event.id);
      if (!after && list.children.length > 0) return; // older than all that is shown
      list.insertBefore(row(event), after ?? null);
      while (list.children.length > most) list.lastElementChild.remove();
    };
  };

  button.addEventListener("click", () => {
    const paused = bar.classList.toggle("paused");
    label.textContent = paused ? "Go on" : "Pause";
    word.textContent = paused ? "Paused" : "Live";
    if (paused) source.close();
    else open();
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && !bar.classList.contains("paused") && open());
  bar.hidden = false;
  open();
}
