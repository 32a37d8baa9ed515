"""An application whose import never ends, as one that calls app.run() does."""

from __future__ import annotations

import threading

threading.Event().wait()
