// Times in the reader's own zone, and a list that shows new messages by itself.
(function () {
  "use strict";
  document.querySelectorAll("time").forEach(function (time) {
    var at = new Date(time.dateTime);
    var today = at.toDateString() === new Date().toDateString();
    time.textContent = today ? at.toLocaleTimeString() : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  });
  document.querySelectorAll("button[data-ask]").forEach(function (button) {
    button.addEventListener("click", function (event) {
      if (!window.confirm(button.dataset.ask)) { event.preventDefault(); }
    });
  });
  if (!document.body.dataset.live) { return; }
  window.setInterval(function () {
    if (document.hidden) { return; }
    fetch("/newest.json").then(function (answer) { return answer.json(); }).then(function (now) {
      if (now.newest !== document.body.dataset.newest) { window.location.reload(); }
    }).catch(function () { /* the inbox is being restarted; the next round will tell */ });
  }, 2000);
})();
