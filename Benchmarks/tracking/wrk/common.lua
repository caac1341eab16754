-- Shared by the scripts: unique numbers for every thread, and one line of JSON at the end.

local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("thread_number", threads)
end

-- Numbers that no other thread and no other call of wrk uses.
function start_numbers()
    number = tonumber(os.getenv("BENCH_SEED")) * 100000000 + thread_number * 10000000
    runs = {}
    for run in os.getenv("BENCH_RUNS"):gmatch("[^,]+") do runs[#runs + 1] = run end
end

function next_number()
    number = number + 1
    return number
end

function some_run(n)
    return runs[n % #runs + 1]
end

function post(path, body)
    return wrk.format("POST", "/api/2.0/mlflow/" .. path, { ["Content-Type"] = "application/json" }, body)
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        "RESULT {\"requests\": %d, \"seconds\": %.6f, \"refused\": %d, \"broken\": %d, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
