const list = document.getElementById("events");
const state = document.getElementById("state");
const source = new EventSource("/events");
list.textContent = "";
source.onopen = () => { state.textContent = "Connected."; };
source.onerror = () => { state.textContent = "The answer ended. The browser will ask again."; };
source.addEventListener("tick", (event) => {
  const lines = (list.textContent + "id " + event.lastEventId + "  " + event.data + "\n").split("\n");
  list.textContent = lines.slice(-16).join("\n");
});
