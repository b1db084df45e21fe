return function() return { ["smoke.c"] = "\n" } end
