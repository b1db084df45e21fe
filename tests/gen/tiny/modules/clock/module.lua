return { name = "clock", summary = "an example with nothing" }
