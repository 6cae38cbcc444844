-- Requests one after another from a file: a line for each, its body as a JSON text may hold no line break, so they are parted by form feeds.
local bodies, number = {}, 0

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = arguments[2]
  local file = assert(io.open(arguments[1], "rb"))
  for body in file:read("*a"):gmatch("[^\f]+") do
    bodies[#bodies + 1] = wrk.format(nil, nil, nil, body)
  end
  file:close()
end

function request()
  number = number % #bodies + 1
  return bodies[number]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "failed": %d, "p50": %d, "p99": %d, "longest": %d}\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50), latency:percentile(99), latency.max
  ))
end
