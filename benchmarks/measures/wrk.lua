-- What wrk counted, as JSON in its last line. The reasons why it failed are numbers of requests.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "failed": %d}\n',
    summary.requests, summary.duration, errors.status, failed
  ))
end
