-- One new point a request.
dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

function init() start_numbers() end

function request()
    local n = next_number()
    return post("runs/log-metric", string.format(
        '{"run_id":"%s","key":"loss","value":%.6f,"timestamp":%d,"step":%d}', some_run(n), 1 / n, 1700000000000 + n, n))
end
