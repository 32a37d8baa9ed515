// What the keyboard does, for the help and nothing else.

export const keys = [
  ["j ↓", "the next exchange"], ["k ↑", "the one before"], ["Enter", "open it"], ["Esc", "back to the list"], ["/", "write a filter"],
  ["e", "explain every part, and back"], ["1 2 3 4", "dialogue, bytes, on the wire, connection"], ["← →", "from one explained part to the next"], ["p", "projector, and back"], ["d", "dark or light"], ["?", "this"],
];
