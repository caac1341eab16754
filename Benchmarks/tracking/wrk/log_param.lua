-- One new param a request.
dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

function init() start_numbers() end

function request()
    local n = next_number()
    return post("runs/log-parameter", string.format('{"run_id":"%s","key":"p%d","value":"%d"}', some_run(n), n, n))
end
