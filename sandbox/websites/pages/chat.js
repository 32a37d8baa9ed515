const lines = document.getElementById("lines");
const state = document.getElementById("state");
const text = document.getElementById("text");
const address = new URL("/websocket/chat" + location.search, location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(address);
lines.textContent = "";
socket.onopen = () => { state.textContent = "Connected."; };
socket.onclose = (event) => { state.textContent = "Closed: " + event.code + " " + event.reason; };
socket.onmessage = (event) => {
  const said = JSON.parse(event.data);
  const line = said.from ? said.from + ": " + said.text : "* " + said.text;
  lines.textContent = (lines.textContent + line + "\n").split("\n").slice(-200).join("\n");
  lines.scrollTop = lines.scrollHeight;
};
document.getElementById("say").addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value && socket.readyState === WebSocket.OPEN) {
    socket.send(text.value);
    text.value = "";
  }
});
