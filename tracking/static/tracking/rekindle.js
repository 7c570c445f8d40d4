/* Rekindle: tells the shop's CRM what visitors do. Sets no cookies, never throws, never waits for an answer. */
(function (window, document) {
  "use strict";

  var MAX_BATCH = 20, MAX_QUEUE = 100, MAX_BYTES = 60000, WAIT = 1000, TRIES = 3, BACKOFF = 4000;
  var ID = "rekindle.id", LEFT = "rekindle.left", LANDING = "rk";
  var script = document.currentScript || document.querySelector("script[src$='/rekindle.js']");
  var queue = [], sending = false, timer = 0, visible = 0, landing = "", touched = false;
  var waiting = [], url = "", key = "", visitor = "", allowed = false, refused = false, tried = 0, watching = 0;

  function safely(work) {
    return function () {
      try { return work.apply(this, arguments); } catch (error) { return undefined; }
    };
  }

  function uuid() {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    var bytes = window.crypto.getRandomValues(new Uint8Array(16)), text = "";
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    for (var i = 0; i < 16; i++) {
      text += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + (bytes[i] + 256).toString(16).slice(1);
    }
    return text;
  }

  function recall(name) {
    try { return window.localStorage.getItem(name) || ""; } catch (error) { return ""; }
  }

  function keep(name, value) {
    try {
      if (value) window.localStorage.setItem(name, value);
      else window.localStorage.removeItem(name);
    } catch (error) { /* full or forbidden: this page alone knows */ }
  }

  function who() {
    if (!visitor) {
      visitor = recall(ID);
      if (!/^[0-9a-f-]{36}$/.test(visitor)) {
        visitor = uuid();
        keep(ID, visitor);
      }
    }
    return visitor;
  }

  function address() {
    return window.location.href.split("#")[0].slice(0, 1000);
  }

  function add(kind, details, now) {
    details = JSON.parse(JSON.stringify(details || {}));
    if (!allowed) {
      if (!refused && waiting.length < MAX_QUEUE) waiting.push([kind, details, Date.now(), address()]);
      return;
    }
    put({ id: uuid(), t: kind, at: Date.now(), url: address(), p: details });
    plan(now ? 0 : WAIT);
  }

  function put(event) {
    queue.push(event);
    if (queue.length > MAX_QUEUE) queue.splice(0, queue.length - MAX_QUEUE);
  }

  function plan(after) {
    if (sending || !queue.length) return;
    if (timer) window.clearTimeout(timer);
    timer = window.setTimeout(safely(send), after);
  }

  function take() {
    var events = queue.slice(0, MAX_BATCH), body;
    do {
      body = JSON.stringify({ k: key, v: who(), b: uuid(), s: Date.now(), e: events });
    } while (body.length > MAX_BYTES && events.length > 1 && (events = events.slice(0, events.length >> 1)));
    return { body: body, events: events };
  }

  function drop(events) {
    queue = queue.filter(function (event) { return events.indexOf(event) < 0; });
  }

  /* At most three tries a batch; then it rests among the few that the next page sends again. */
  function send() {
    timer = 0;
    if (sending || !queue.length || !allowed) return;
    var batch = take();
    sending = true;
    tried += 1;
    var done = safely(function (result) {
      sending = false;
      if (result === "again" && tried < TRIES) {
        timer = window.setTimeout(safely(send), BACKOFF * Math.pow(3, tried - 1));
        return;
      }
      if (result === "again") {
        keep(LEFT, JSON.stringify(queue.slice(-MAX_BATCH)));
        queue = [];
      }
      drop(batch.events);
      tried = 0;
      plan(0);
    });
    var stop = window.AbortController ? new window.AbortController() : null;
    var limit = window.setTimeout(safely(function () { if (stop) stop.abort(); }), 10000);
    window.fetch(url, {
      method: "POST", body: batch.body, keepalive: batch.body.length < MAX_BYTES, credentials: "omit",
      mode: "cors", headers: { "Content-Type": "text/plain;charset=UTF-8" }, signal: stop ? stop.signal : undefined
    }).then(function (response) {
      window.clearTimeout(limit);
      done(response.status >= 500 || response.status === 429 ? "again" : "done");
    }, function () {
      window.clearTimeout(limit);
      done("again");
    });
  }

  /* The page goes away: what waits leaves with it, unanswered. Events told twice count once. */
  function leave() {
    if (!allowed || !window.navigator.sendBeacon) return;
    while (queue.length) {
      var batch = take();
      if (!window.navigator.sendBeacon(url, new Blob([batch.body], { type: "text/plain;charset=UTF-8" }))) break;
      drop(batch.events);
    }
    if (queue.length) keep(LEFT, JSON.stringify(queue.slice(-MAX_BATCH)));
  }

  function resume() {
    var left = recall(LEFT);
    if (!left) return;
    keep(LEFT, "");
    var events = safely(JSON.parse)(left);
    if (Array.isArray(events)) events.forEach(put);
    plan(WAIT);
  }

  function consent(choice) {
    var yes = Boolean(choice && choice.tracking);
    if (yes === allowed && yes) return;
    allowed = yes;
    refused = !yes;
    if (!yes) {
      queue = [];
      waiting = [];
      visitor = "";
      keep(ID, "");
      keep(LEFT, "");
      return;
    }
    resume();
    waiting.splice(0).forEach(function (one) {
      put({ id: uuid(), t: one[0], at: one[2], url: one[3], p: one[1] });
    });
    plan(0);
  }

  /* A click is a person's when its page was seen for a second and touched: scanners open links, too. */
  function read() {
    var found = new RegExp("[?&]" + LANDING + "=([\\w-]{20,300})").exec(window.location.search);
    if (!found) return;
    landing = found[1];
    if (window.history.replaceState) {
      var rest = window.location.search.replace(found[0], "").replace(/^&/, "?");
      window.history.replaceState(window.history.state, "", window.location.pathname + rest + window.location.hash);
    }
    ["pointerdown", "pointermove", "touchstart", "scroll", "keydown"].forEach(function (name) {
      window.addEventListener(name, safely(touch), { passive: true, capture: true });
    });
    watching = window.setInterval(safely(watch), 250);
  }

  function touch(event) {
    if (event.isTrusted) touched = true;
  }

  function watch() {
    visible = document.visibilityState === "visible" ? visible + 250 : visible;
    if (visible >= 1000 && touched) {
      add("landing", { rk: landing }, true);
      window.clearInterval(watching);
    }
  }

  function command(name, details, more) {
    if (name === "consent") consent(details);
    else if (name === "visitor") { if (allowed) details(who()); else waitFor(details); }
    else if (name === "reset") { visitor = ""; keep(ID, ""); }
    else if (name === "event") add("custom", { name: details, props: more });
    else if (name === "page") add("page", { title: document.title.slice(0, 200), referrer: document.referrer });
    else if (name === "identify" || name === "order" || name === "restore") add(name, details, true);
    else if (typeof name === "string") add(name, details);
  }

  var asked = [];
  function waitFor(callback) { if (asked.length < 20) asked.push(callback); }

  function start() {
    if (!script || window.rekindle && window.rekindle.loaded) return;
    url = new URL(script.src).origin + "/c";
    key = script.getAttribute("data-key") || "";
    if (!key || !window.fetch || !window.crypto || !window.JSON) return;
    var before = window.rekindle && window.rekindle.q || [];
    var api = function () {
      safely(command).apply(null, arguments);
      if (allowed) asked.splice(0).forEach(function (callback) { safely(callback)(who()); });
    };
    api.loaded = true;
    window.rekindle = api;
    read();
    var isTold = false;
    for (var i = 0; i < before.length; i++) isTold = isTold || before[i][0] === "consent";
    if (!isTold && script.getAttribute("data-consent") !== "pending") api("consent", { tracking: true });
    for (var n = 0; n < before.length; n++) api.apply(null, before[n]);
    window.addEventListener("pagehide", safely(leave));
    document.addEventListener("visibilitychange", safely(function () {
      if (document.visibilityState === "hidden") leave();
    }));
  }

  safely(start)();
})(window, document);
