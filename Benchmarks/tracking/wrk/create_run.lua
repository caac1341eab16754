-- One new run a request.
dofile(os.getenv("BENCH_SCRIPTS") .. "/common.lua")

function init() start_numbers() end

function request()
    local n = next_number()
    return post("runs/create", string.format(
        '{"experiment_id":"%s","run_name":"run-%d","user_id":"bench","start_time":%d,"tags":[{"key":"team","value":"a"}]}',
        os.getenv("BENCH_EXPERIMENT"), n, 1700000000000 + n))
end
