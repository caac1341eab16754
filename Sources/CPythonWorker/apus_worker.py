"""The program of a worker: loads one model of MLflow and answers the server that started it.

    python apus_worker.py MODEL_FOLDER

Requests and answers are frames on descriptor 3, one after the other. All numbers are little-endian.

    frame   = magic u32, header length u32, body length u64, header, body
    request = form u8, 0 u8, tensors u16, parameters length u32, media type length u32, parameters (JSON), media type,
              tensor*, zeros up to a multiple of 16
    answer  = kind u8, form or code u8, tensors u16, 0 u32, tensor*, zeros up to a multiple of 16
    tensor  = datatype u8, rank u8, name length u16, bytes u64, dimensions i64*, name

The body holds the tensors' bytes in the Open Inference Protocol's binary form, each at a multiple of 16; or a document,
or the text of a failure. Text that the model prints goes to standard error, which the server writes into its log.
"""

import gc
import inspect
import json
import os
import socket
import struct
import sys
import traceback

MAGIC = 0x53555041
PREFIX = struct.Struct("<IIQ")
REQUEST = struct.Struct("<BBHII")
ANSWER = struct.Struct("<BBHI")
TENSOR = struct.Struct("<BBHQ")

# Forms of what is asked and answered.
TENSORS, COLUMNS, ARRAY, DOCUMENT = range(4)
# Kinds of answers.
RESULT, TEXT, FAILURE, READY = range(4)
# Codes of failures: the model's fault, the caller's, and one after which the worker ends.
MODEL, CALLER, MEMORY = range(3)

DATATYPES = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64",
    "BYTES",
)  # fmt: skip
NUMPY = ("|b1", "|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8", "<f2", None, "<f4", "<f8", None)
BYTES = 13
CODES = {name: code for code, name in enumerate(NUMPY) if name}

# Flavors of which `PyFuncModel.predict` only enforces the signature and then calls the model.
NATIVE = {
    "mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost", "mlflow.pytorch", "mlflow.tensorflow",
    "mlflow.keras", "mlflow.onnx",
}  # fmt: skip

# Layouts that are kept, so that a request like an earlier one need not be read again.
LAYOUT_LIMIT = 512


class Refused(Exception):
    """The caller sent what the model does not take."""


def aligned(length):
    return (length + 15) & ~15


class Channel:
    """Frames on a socket."""

    def __init__(self, connection):
        self.connection = connection
        self.prefix = bytearray(PREFIX.size)

    def receive(self):
        """The header and the body of the next frame; None at the end."""
        if not self.fill(memoryview(self.prefix)):
            return None
        magic, header_length, body_length = PREFIX.unpack(self.prefix)
        if magic != MAGIC:
            raise ValueError("this is no frame")
        # Fresh memory each time, because a model may keep what it was given; and aligned, as numpy likes it.
        frame = numpy.empty(header_length + body_length, dtype=numpy.uint8)
        if not self.fill(memoryview(frame)):
            return None
        return frame[:header_length].tobytes(), frame[header_length:]

    def fill(self, view):
        while len(view):
            count = self.connection.recv_into(view)
            if not count:
                return False
            view = view[count:]
        return True

    def send(self, header, parts):
        header += bytes(aligned(len(header)) - len(header))
        body = []
        length = 0
        for part in parts:
            part = memoryview(part).cast("B") if len(part) else b""
            rest = aligned(len(part)) - len(part)
            body.append(part)
            if rest:
                body.append(bytes(rest))
            length += len(part) + rest
        views = [memoryview(PREFIX.pack(MAGIC, len(header), length) + header), *map(memoryview, body)]
        while views:
            count = self.connection.sendmsg(views[:512])
            while views and count >= len(views[0]):
                count -= len(views[0])
                del views[0]
            if count:
                views[0] = views[0][count:]

    def fail(self, code, text):
        self.send_text(FAILURE, code, text)

    def send_text(self, kind, code, text):
        data = text.encode("utf-8", "replace")
        # A text's length is told by the tensor that stands for it, because the body is padded.
        record = TENSOR.pack(BYTES, 0, 0, len(data))
        self.send(ANSWER.pack(kind, code, 1, 0) + record, [data])


class Field:
    """A tensor's place in a body."""

    __slots__ = ("code", "count", "name", "offset", "shape", "size")

    def __init__(self, code, shape, name, offset, size):
        self.code = code
        self.shape = shape
        self.name = name
        self.offset = offset
        self.size = size
        self.count = 1
        for dimension in shape:
            self.count *= dimension

    def array(self, body):
        """The tensor, as a view into the body where that is possible."""
        data = body[self.offset : self.offset + self.size]
        if self.code == BYTES:
            values = numpy.empty(self.count, dtype=object)
            values[:] = texts(data)
            return values.reshape(self.shape)
        kind = NUMPY[self.code]
        if kind is None:
            # BF16 is the upper half of a float.
            wide = data.view("<u2").astype("<u4") << 16
            return wide.view("<f4").reshape(self.shape)
        return data.view(kind).reshape(self.shape)


def texts(data):
    """The elements of a BYTES tensor: strings, or bytes where one is no UTF-8."""
    data = data.tobytes()
    values = []
    offset = 0
    while offset < len(data):
        (length,) = struct.unpack_from("<I", data, offset)
        values.append(data[offset + 4 : offset + 4 + length])
        offset += 4 + length
    try:
        return [value.decode() for value in values]
    except UnicodeDecodeError:
        return values


class Layout:
    """What a header says: how the request is to be understood, and where its tensors are."""

    def __init__(self, header):
        self.form, _, count, params_length, media_length = REQUEST.unpack_from(header)
        offset = REQUEST.size
        params = header[offset : offset + params_length]
        self.params = json.loads(params) if params else None
        offset += params_length
        self.media_type = header[offset : offset + media_length].decode()
        offset += media_length
        self.fields = []
        place = 0
        for _ in range(count):
            code, rank, name_length, size = TENSOR.unpack_from(header, offset)
            offset += TENSOR.size
            shape = struct.unpack_from(f"<{rank}q", header, offset)
            offset += 8 * rank
            name = header[offset : offset + name_length].decode()
            offset += name_length
            self.fields.append(Field(code, shape, name, place, size))
            place += aligned(size)
        self.columns = None

    @property
    def may_be_kept(self):
        return self.form != DOCUMENT and all(field.code != BYTES for field in self.fields)


class Table:
    """How the columns of a layout become a data frame, or a matrix."""

    def __init__(self, fields, names=None):
        if names is not None:
            by_name = {field.name: field for field in fields}
            fields = [by_name[name] for name in names if name in by_name]
        rows = fields[0].count if fields else 0
        for field in fields:
            if field.count != rows or len(field.shape) not in (1, 2) or (len(field.shape) == 2 and field.shape[1] != 1):
                raise Refused(f"Column '{field.name}' is no column of {rows} rows: its shape is {list(field.shape)}.")
        self.fields = fields
        self.rows = rows
        self.index = pandas.Index([field.name for field in fields], dtype=object if not fields else None)
        groups = {}
        for place, field in enumerate(fields):
            groups.setdefault(field.code, []).append((place, field))
        self.groups = [
            (code, numpy.array([place for place, _ in members]), [field for _, field in members])
            for code, members in groups.items()
            if code != BYTES
        ]
        self.texts = [(place, field) for place, field in enumerate(fields) if field.code == BYTES]

    def block(self, code, fields, body):
        """Columns of one type, below each other: that is how pandas keeps them."""
        first = fields[0]
        step = aligned(first.size)
        kind = NUMPY[code]
        together = all(field.offset == first.offset + number * step for number, field in enumerate(fields))
        if together and kind is not None and step:
            data = body[first.offset : first.offset + step * len(fields)]
            return data.view(kind).reshape(len(fields), -1)[:, : self.rows]
        return numpy.stack([field.array(body).reshape(self.rows) for field in fields])

    def matrix(self, body):
        """The table as an array of one type; None when its columns differ."""
        if len(self.groups) != 1 or self.texts:
            return None
        code, _, fields = self.groups[0]
        return self.block(code, fields, body).T

    def frame(self, body, types):
        """A data frame; `types` tells what texts are, by column: binary, datetime, json or nothing."""
        blocks = [(self.block(code, fields, body), places) for code, places, fields in self.groups]
        series = [(place, text_column(field.array(body).ravel(), types.get(field.name))) for place, field in self.texts]
        index = pandas.RangeIndex(self.rows)
        if not series and len(blocks) == 1:
            return pandas.DataFrame(blocks[0][0].T, index=index, columns=self.index, copy=False)
        if create_from_blocks is not None and all(not isinstance(values, numpy.ndarray) for _, values in series):
            blocks += [(values, numpy.array([place])) for place, values in series]
            return create_from_blocks(blocks, index, self.index)
        columns = [None] * len(self.fields)
        for block, places in blocks:
            for row, place in enumerate(places):
                columns[place] = block[row]
        for place, values in series:
            columns[place] = values
        frame = pandas.DataFrame(dict(enumerate(columns)), index=index)
        frame.columns = self.index
        return frame


def text_column(values, kind):
    """Texts as MLflow's server would give them to the model."""
    if kind == "binary":
        return values
    if kind == "json":
        try:
            return numpy.fromiter((json.loads(value) for value in values), dtype=object, count=len(values))
        except ValueError as error:
            raise Refused(f"A value of a nested column is no JSON: {error}") from None
    if kind == "datetime":
        try:
            return pandas.Series(values, dtype=object).astype("datetime64[ns]").array
        except (ValueError, TypeError) as error:
            raise Refused(f"A value cannot be read as a date and time: {error}") from None
    if len(values) and isinstance(values[0], bytes):
        return values
    # pandas 3 reads texts as its own type, older ones as objects.
    return pandas.array(values, dtype="str") if TEXTS_ARE_STR else values


class Model:
    """A loaded model, and the shortest way to its predictions."""

    def __init__(self, folder):
        self.model = mlflow.pyfunc.load_model(folder, suppress_warnings=True)
        self.metadata = self.model.metadata
        self.schema = self.metadata.get_input_schema()
        self.params_schema = self.metadata.get_params_schema() if hasattr(self.metadata, "get_params_schema") else None
        flavor = self.metadata.flavors["python_function"]
        self.loader = flavor.get("loader_module", "")
        self.native = self.native_predict(flavor) if self.loader in NATIVE else None
        self.takes_params = "params" in inspect.signature(self.model.predict).parameters
        self.is_table = self.schema is not None and not self.schema.is_tensor_spec() and self.schema.has_input_names()
        self.layouts = {}
        self.types = {}
        if self.is_table:
            for name, spec in self.schema.input_dict().items():
                kind = getattr(spec.type, "name", None)
                # What is no single value travels as JSON.
                self.types[name] = kind if kind in KINDS else "json"

    def native_predict(self, flavor):
        """The flavor's own function, which takes what was enforced already; None if it cannot be told."""
        function = getattr(self.model, "_predict_fn", None)
        if function is None or getattr(self.metadata, "_is_type_hint_from_example", lambda: False)():
            return None
        parameter = inspect.signature(function).parameters.get("params")
        if parameter is not None and parameter.kind != inspect.Parameter.VAR_KEYWORD:
            return lambda data, params: function(data, params=params)
        return lambda data, params: function(data)

    def warm_up(self):
        """Runs the model's own example, because much is only loaded when first used; a model of one's own may act."""
        if self.native is None:
            return
        try:
            example = self.model.input_example
            if example is not None:
                self.model.predict(example)
        except Exception:
            traceback.print_exc()

    # What is asked

    def predict(self, header, body):
        layout = self.layouts.get(header)
        if layout is None:
            layout = Layout(header)
            if layout.may_be_kept:
                if len(self.layouts) >= LAYOUT_LIMIT:
                    self.layouts.clear()
                self.layouts[header] = layout
        if layout.form == DOCUMENT:
            return self.predict_document(layout, body)
        data, is_enforced = self.input(layout, body)
        if is_enforced and self.native is not None:
            params = layout.params
            if params or self.params_schema is not None:
                params = enforce_params(params, self.params_schema)
            return run(self.native, data, {} if params is None else params)
        return self.predict_as_mlflow(data, layout.params)

    def predict_as_mlflow(self, data, params):
        if self.takes_params:
            return run(self.model.predict, data, params=params)
        return run(self.model.predict, data)

    def input(self, layout, body):
        """The input as the model takes it, and whether it is sure to be what its signature says."""
        if layout.form == ARRAY:
            array = layout.fields[0].array(body)
            return array, self.fits_array(array)
        if layout.form == COLUMNS or self.is_table:
            return self.table(layout, body)
        if self.schema is not None and self.schema.is_tensor_spec():
            if not self.schema.has_input_names() and len(layout.fields) == 1:
                array = layout.fields[0].array(body)
                return array, self.fits_array(array)
            return {field.name: field.array(body) for field in layout.fields}, False
        return self.unsigned(layout, body)

    def unsigned(self, layout, body):
        """Tensors for a model without a signature: an array, a table, or what else is named."""
        fields = layout.fields
        if len(fields) == 1 and len(fields[0].shape) != 1:
            return fields[0].array(body), self.schema is None
        if all(len(field.shape) == 1 and field.count == fields[0].count for field in fields):
            return self.table(layout, body)
        return {field.name: field.array(body) for field in fields}, self.schema is None

    def table(self, layout, body):
        if layout.columns is None:
            table = Table(layout.fields)
            is_enforced = self.schema is None
            if self.is_table:
                given = {field.name: field for field in layout.fields}
                missing = [name for name in self.schema.required_input_names() if name not in given]
                is_enforced = not missing and all(
                    DATATYPES[field.code] == KINDS.get(self.types[name])
                    for name, field in given.items()
                    if name in self.types
                )
                if is_enforced:
                    table = Table(layout.fields, self.schema.input_names())
            layout.columns = (table, is_enforced)
        table, is_enforced = layout.columns
        if self.schema is not None and self.schema.is_tensor_spec() and not self.schema.has_input_names():
            matrix = table.matrix(body)
            if matrix is not None and matrix.shape[1] > 1 and self.fits_array(matrix):
                return matrix, True
        return table.frame(body, self.types), is_enforced

    def fits_array(self, array):
        """Whether MLflow would give the array to the model as it is."""
        if self.schema is None:
            return True
        if not self.schema.is_tensor_spec() or self.schema.has_input_names() or array.dtype == object:
            return False
        spec = self.schema.inputs[0]
        shape = spec.shape
        return (
            array.dtype == spec.type
            and len(shape) == array.ndim
            and all(wanted in (-1, found) for wanted, found in zip(shape, array.shape))
        )

    def predict_document(self, layout, body):
        """A body as it came, read by MLflow's own server."""
        scoring = scoring_server()
        (field,) = layout.fields
        data = body[field.offset : field.offset + field.size].tobytes()
        media_type = layout.media_type or scoring.CONTENT_TYPE_JSON
        params = None
        if media_type == scoring.CONTENT_TYPE_JSON:
            if hasattr(scoring, "_parse_json_data"):
                parsed = scoring._parse_json_data(data.decode("utf-8", "replace"), self.metadata, self.schema)
                data, params = parsed.data, parsed.params
            else:
                data, params = scoring._split_data_and_params(data.decode("utf-8", "replace"))
                data = scoring.infer_and_parse_data(data, self.schema)
        elif media_type == scoring.CONTENT_TYPE_CSV:
            data = scoring.parse_csv_input(csv_input=io_text(data), schema=self.schema)
        elif media_type == getattr(scoring, "CONTENT_TYPE_PARQUET", None):
            data = scoring.parse_parquet_input(parquet_input=io_bytes(data))
        else:
            raise Refused(f"The model takes no '{media_type}'.")
        return Document(self.predict_as_mlflow(data, params))


def io_text(data):
    import io

    try:
        return io.StringIO(data.decode())
    except UnicodeDecodeError as error:
        raise Refused(f"The body is no UTF-8: {error}") from None


def io_bytes(data):
    import io

    return io.BytesIO(data)


# The datatypes of a signature's columns.
KINDS = {
    "double": "FP64", "float": "FP32", "long": "INT64", "integer": "INT32", "boolean": "BOOL", "string": "BYTES",
    "binary": "BYTES", "datetime": "BYTES",
}  # fmt: skip


class ModelError(Exception):
    """What the model itself raised, as the cause."""


def run(function, *arguments, **options):
    """Calls the model, so that its own mistakes can be told from those of the request."""
    try:
        return function(*arguments, **options)
    except (MemoryError, mlflow.exceptions.MlflowException):
        raise
    except Exception as error:
        raise ModelError() from error


def enforce_params(params, schema):
    from mlflow.models.utils import _enforce_params_schema

    return _enforce_params_schema(params, schema)


def scoring_server():
    import mlflow.pyfunc.scoring_server as module

    return module


# What is answered


class Document:
    """A result that is to be answered as JSON, whatever it is."""

    def __init__(self, value):
        self.value = value

    def text(self):
        from mlflow.utils.proto_json_utils import NumpyEncoder, _get_jsonable_obj

        return json.dumps(_get_jsonable_obj(self.value, pandas_orient="records"), cls=NumpyEncoder)


def record(name, array):
    """A tensor's description and bytes; None when it is none."""
    if array.dtype.kind in "OUS":
        data = encoded(array.ravel().tolist())
        if data is None:
            return None
        code = BYTES
    else:
        code = CODES.get(array.dtype.newbyteorder("<").str)
        if code is None or array.ndim > 8:
            return None
        data = numpy.ascontiguousarray(array, dtype=NUMPY[code])
        data = data.reshape(-1).view(numpy.uint8) if data.size else b""
    name = name.encode()
    shape = array.shape
    description = TENSOR.pack(code, len(shape), len(name), len(data)) + struct.pack(f"<{len(shape)}q", *shape) + name
    return description, data


def encoded(values):
    """Texts as the elements of a BYTES tensor; None when one is something else."""
    parts = []
    for value in values:
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        elif not isinstance(value, bytes):
            return None
        parts.append(len(value).to_bytes(4, "little"))
        parts.append(value)
    return b"".join(parts)


def plain_array(values):
    """A list of numbers or of texts, all of one type, as an array; None for any other."""
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind is str:
        array = numpy.empty(len(values), dtype=object)
        array[:] = values
        return array
    if kind in (bool, float):
        return numpy.array(values, dtype=kind)
    if kind is int:
        try:
            return numpy.array(values, dtype=numpy.int64)
        except OverflowError:
            return None
    return numpy.array(values) if issubclass(kind, (numpy.number, numpy.bool_)) else None


def tensors_of(result):
    """A result's form and named arrays; None when no tensor holds it."""
    if isinstance(result, numpy.ndarray):
        return ARRAY, [("output-1", result)]
    if isinstance(result, pandas.Series):
        name = "0" if result.name is None else str(result.name)
        return COLUMNS, [(name, column(result))]
    if isinstance(result, pandas.DataFrame):
        names = [str(name) for name in result.columns]
        if len(set(names)) != len(names) or result.columns.nlevels > 1 or not names:
            return None
        return COLUMNS, [(name, column(result.iloc[:, place])) for place, name in enumerate(names)]
    if isinstance(result, (list, tuple)) and result:
        array = plain_array(result)
        return None if array is None else (ARRAY, [("output-1", array)])
    if isinstance(result, dict) and result:
        if all(isinstance(name, str) and isinstance(value, numpy.ndarray) for name, value in result.items()):
            return TENSORS, list(result.items())
    return None


def column(series):
    if isinstance(series.dtype, numpy.dtype) or TEXTS_ARE_STR and isinstance(series.dtype, pandas.StringDtype):
        return series.to_numpy()
    # Types of pandas' own may lack values, which no tensor can.
    return numpy.empty(0, dtype="V1")


def answer(channel, result):
    found = None if isinstance(result, Document) else tensors_of(result)
    if found is not None:
        form, arrays = found
        records = [record(name, array) for name, array in arrays]
        if len(records) < 65536 and all(records):
            header = ANSWER.pack(RESULT, form, len(records), 0) + b"".join(part for part, _ in records)
            channel.send(header, [data for _, data in records])
            return
    document = result if isinstance(result, Document) else Document(result)
    channel.send_text(TEXT, 0, document.text())


def failure(error, model):
    """The code and the text of what went wrong; the log gets the rest."""
    if isinstance(error, Refused):
        return CALLER, str(error)
    if isinstance(error, ModelError):
        cause = error.__cause__
        # Without a signature nobody could check the input before, so it is taken to be at fault.
        if model.schema is None and isinstance(cause, (ValueError, TypeError, KeyError, IndexError)):
            return CALLER, f"The model refused the input: {type(cause).__name__}: {cause}"[:2000]
        return MODEL, type(cause).__name__
    if isinstance(error, mlflow.exceptions.MlflowException):
        if getattr(error, "error_code", "") in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST") or is_schema_error(error):
            # MLflow shows all of the data before it says what is wrong.
            message = str(error.message)
            if message.startswith("Failed to enforce"):
                message = message.rpartition(". Error: ")[2]
            return CALLER, message[:2000]
        return MODEL, type(error).__name__
    return MODEL, type(error).__name__


def is_schema_error(error):
    """Whether MLflow found that the input does not fit the signature; it does not always say so by its code."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_name
        if name in ("_validate_prediction_input", "_enforce_schema", "_parse_json_data"):
            return True
        trace = trace.tb_next
    return False


def serve(channel, model):
    while True:
        frame = channel.receive()
        if frame is None:
            return
        try:
            result = model.predict(*frame)
            answer(channel, result)
        except MemoryError:
            traceback.print_exc()
            result = frame = None
            channel.fail(MEMORY, "MemoryError")
            return
        except OSError as error:
            if isinstance(error, (BrokenPipeError, ConnectionError)):
                return
            traceback.print_exc()
            channel.fail(MODEL, type(error).__name__)
        except Exception as error:
            code, text = failure(error, model)
            if code == MODEL:
                # The model's own part of the way is what helps to mend it.
                traceback.print_exception(error.__cause__ if isinstance(error, ModelError) else error)
            channel.fail(code, text)


def main():
    channel = Channel(socket.socket(fileno=3))
    try:
        load_libraries()
        model = Model(sys.argv[1])
        model.warm_up()
    except BaseException as error:
        traceback.print_exc()
        channel.fail(MODEL, f"{type(error).__name__}: {error}"[:2000])
        sys.exit(1)
    # What was loaded stays; there is no need to look through it again and again.
    gc.collect()
    gc.freeze()
    facts = {
        "python": sys.version.split()[0],
        "mlflow": mlflow.__version__,
        "loader": model.loader,
        "native": model.native is not None,
    }
    channel.send_text(READY, 0, json.dumps(facts))
    serve(channel, model)


def load_libraries():
    global TEXTS_ARE_STR, create_from_blocks, mlflow, numpy, pandas
    import mlflow
    import mlflow.exceptions
    import mlflow.pyfunc
    import numpy
    import pandas

    TEXTS_ARE_STR = int(pandas.__version__.split(".")[0]) >= 3
    try:
        from pandas.api.internals import create_dataframe_from_blocks as create_from_blocks
    except ImportError:
        create_from_blocks = None


if __name__ == "__main__":
    main()
    # Nothing is left to do; threads of libraries must not hold it up.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
