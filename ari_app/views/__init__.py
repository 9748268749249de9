"""How a call, a report, a bill, a flow, the board are told, as data: sections, rows, JSON, CSV, PDF, PNG. Pure."""
