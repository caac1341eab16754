#include "include/apus_json_numbers.h"
#include <charconv>
#include <cmath>
#include <cstring>

// The shortest decimal text that reads as the same number.
//
// A float's neighbourhood, all numbers that read as this float, is computed in double precision, of which nine decimal
// digits leave enough bits to be sure; then the fewest digits are taken that stay inside of it. A double is tried as a
// number of at most fifteen digits, which is exact where it succeeds; the rest is left to the standard library.

namespace {

constexpr int least_power = -32;
// Powers of ten from 10^least_power, each the nearest double.
constexpr double powers[] = {
    1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18,
    1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,
    1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,
    1e13,  1e14,  1e15,  1e16,  1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,  1e27,
    1e28,  1e29,  1e30,  1e31,  1e32,  1e33,  1e34,  1e35,  1e36,  1e37,  1e38,  1e39,  1e40,  1e41,  1e42,
    1e43,  1e44,  1e45,  1e46,  1e47,  1e48,  1e49,  1e50,  1e51,  1e52,  1e53,  1e54};

inline double power_of_ten(int exponent) { return powers[exponent - least_power]; }

constexpr char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495"
                         "05152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
                         "9899";

constexpr uint32_t powers_of_ten[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};

inline int digit_count(uint64_t value) {
    int count = 1;
    for (; value >= 10000; value /= 10000) { count += 4; }
    return count + (value >= 1000 ? 3 : value >= 100 ? 2 : value >= 10 ? 1 : 0);
}

inline void write_digits(uint64_t value, int count, uint8_t *output) {
    while (count >= 2) {
        count -= 2;
        std::memcpy(output + count, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (count == 1) { output[0] = static_cast<uint8_t>('0' + value); }
}

// Writes digits * 10^exponent, with a point where that is short, else with an exponent.
uint8_t *write_decimal(uint64_t digits, int exponent, uint8_t *output) {
    int count = digit_count(digits);
    int point = count + exponent;
    if (point > 0 && point <= 16) {
        if (exponent >= 0) {
            write_digits(digits, count, output);
            std::memset(output + count, '0', static_cast<size_t>(exponent));
            output += point;
            *output++ = '.';
            *output++ = '0';
            return output;
        }
        write_digits(digits, count, output + 1);
        std::memmove(output, output + 1, static_cast<size_t>(point));
        output[point] = '.';
        return output + count + 1;
    }
    if (point <= 0 && point > -5) {
        *output++ = '0';
        *output++ = '.';
        std::memset(output, '0', 4);
        output -= point;
        write_digits(digits, count, output);
        return output + count;
    }
    write_digits(digits, count, output + 1);
    output[0] = output[1];
    if (count > 1) {
        output[1] = '.';
        output += count + 1;
    } else {
        output += 1;
    }
    *output++ = 'e';
    int shown = point - 1;
    if (shown < 0) {
        *output++ = '-';
        shown = -shown;
    }
    int length = digit_count(static_cast<uint64_t>(shown));
    write_digits(static_cast<uint64_t>(shown), length, output);
    return output + length;
}

// The same for at most nine digits, in moves of a fixed length instead of loops: `output` needs 28 bytes.
uint8_t *write_short_decimal(uint32_t digits, int count, int exponent, uint8_t *output) {
    int point = count + exponent;
    if (exponent >= 0 || point <= -5) { return write_decimal(digits, exponent, output); }
    uint8_t text[32];
    uint32_t high = digits / 100000;
    uint32_t low = digits % 100000;
    // Nine digits, with zeros before them.
    std::memcpy(text + 0, pairs + 2 * (high / 100), 2);
    std::memcpy(text + 2, pairs + 2 * (high % 100), 2);
    text[4] = static_cast<uint8_t>('0' + low / 10000);
    low %= 10000;
    std::memcpy(text + 5, pairs + 2 * (low / 100), 2);
    std::memcpy(text + 7, pairs + 2 * (low % 100), 2);
    const uint8_t *start = text + 9 - count;
    if (point > 0) {
        std::memcpy(output, start, 9);
        std::memcpy(output + point + 1, start + point, 16);
        output[point] = '.';
        return output + count + 1;
    }
    std::memcpy(output, "0.0000", 6);
    std::memcpy(output + 2 - point, start, 16);
    return output + 2 - point + count;
}

// floor(log10(2^binary)).
inline int decimal_exponent(int binary) { return (binary * 78913) >> 18; }

inline uint8_t *write_zero(uint8_t *output) {
    std::memcpy(output, "0.0", 3);
    return output + 3;
}

inline uint8_t *write(float value, uint8_t *output) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (bits >> 31) { *output++ = '-'; }
    bits &= 0x7FFFFFFF;
    if (bits == 0) { return write_zero(output); }
    std::memcpy(&value, &bits, 4);
    uint32_t fraction = bits & 0x7FFFFF;
    int biased = static_cast<int>(bits >> 23);
    int binary = biased != 0 ? biased - 127 : -118 - __builtin_clz(fraction);
    double wide = value;
    int decimal = decimal_exponent(binary);
    double power = power_of_ten(8 - decimal);
    double scaled = wide * power;
    if (scaled >= 1e9) {
        decimal += 1;
        power = power_of_ten(8 - decimal);
        scaled = wide * power;
    }
    // Half of the distance to the neighbours; the one below is nearer when the float is a power of two.
    uint64_t half_bits = static_cast<uint64_t>((biased != 0 ? biased : 1) - 127 - 24 + 1023) << 52;
    double half;
    std::memcpy(&half, &half_bits, 8);
    half *= power;
    double margin = scaled * 0x1p-50;
    double upper = scaled + half - margin;
    double lower = scaled - (fraction == 0 && biased > 1 ? half * 0.5 : half) + margin;
    uint32_t whole = static_cast<uint32_t>(scaled);
    uint32_t digits = static_cast<uint32_t>(scaled + 0.5);
    int exponent = decimal - 8;
    int count = 9;
    uint32_t quotient = whole;
    for (uint32_t unit = 10; unit <= 1000000000; unit *= 10) {
        quotient /= 10;
        uint32_t rest = whole - quotient * unit;
        uint32_t rounded = quotient + (rest >= unit / 2 ? 1 : 0);
        double candidate = static_cast<double>(static_cast<uint64_t>(rounded) * unit);
        if (fraction == 0 && candidate <= lower) {
            // Below a power of two the neighbour is nearer, so that the number above may do.
            rounded += 1;
            candidate = static_cast<double>(static_cast<uint64_t>(rounded) * unit);
        }
        if (!(candidate > lower && candidate < upper)) { break; }
        digits = rounded;
        exponent += 1;
        count -= 1;
        if (unit == 1000000000) { break; }
    }
    // Rounding up may have given one digit more, as in 9.99 and 10.0.
    if (count < 1 || digits >= powers_of_ten[count]) { return write_decimal(digits, exponent, output); }
    return write_short_decimal(digits, count, exponent, output);
}

inline uint8_t *write(double value, uint8_t *output) {
    if (std::signbit(value)) {
        *output++ = '-';
        value = -value;
    }
    if (value == 0) { return write_zero(output); }
    if (value >= 1e-6 && value < 1e15) {
        uint64_t bits;
        std::memcpy(&bits, &value, 8);
        int places = 14 - decimal_exponent(static_cast<int>(bits >> 52) - 1023);
        if (value * power_of_ten(places) >= 1e15) { places -= 1; }
        // Digits and power are exact, so that the quotient is rounded once, as it is when the text is read.
        if (places <= 22) {
            double power = power_of_ten(places);
            uint64_t digits = static_cast<uint64_t>(value * power + 0.5);
            if (static_cast<double>(digits) / power == value) {
                int exponent = -places;
                for (; digits % 10 == 0; digits /= 10) { exponent += 1; }
                return write_decimal(digits, exponent, output);
            }
        }
    }
    char *start = reinterpret_cast<char *>(output);
    char *end = std::to_chars(start, start + 25, value).ptr;
    for (char *place = start; place < end; place++) {
        if (*place == '.' || *place == 'e') { return reinterpret_cast<uint8_t *>(end); }
    }
    *end++ = '.';
    *end++ = '0';
    return reinterpret_cast<uint8_t *>(end);
}


inline uint8_t *write(uint64_t value, uint8_t *output) {
    int count = digit_count(value);
    write_digits(value, count, output);
    return output + count;
}

inline uint8_t *write(int64_t value, uint8_t *output) {
    if (value >= 0) { return write(static_cast<uint64_t>(value), output); }
    *output++ = '-';
    return write(~static_cast<uint64_t>(value) + 1, output);
}

inline uint8_t *write_text(const char *text, uint8_t *output) {
    size_t length = std::strlen(text);
    std::memcpy(output, text, length);
    return output + length;
}

template <typename Float>
inline uint8_t *write_any(Float value, bool tokens, uint8_t *output) {
    if (std::isfinite(value)) { return write(value, output); }
    if (!tokens) { return write_text("null", output); }
    return write_text(std::isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity", output);
}

float float_of_half(uint16_t half) {
    uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
    int exponent = half >> 10 & 0x1F;
    uint32_t fraction = half & 0x3FF;
    uint32_t bits;
    if (exponent == 0x1F) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | static_cast<uint32_t>(exponent + 112) << 23 | fraction << 13;
    } else {
        float value = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -value : value;
    }
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

float float_of_brain(uint16_t half) {
    uint32_t bits = static_cast<uint32_t>(half) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

// The elements need not be aligned.
template <typename Element, typename Write>
size_t write_all(const void *values, size_t count, uint8_t *output, Write write_one) {
    const uint8_t *next = static_cast<const uint8_t *>(values);
    uint8_t *start = output;
    for (size_t index = 0; index < count; index++, next += sizeof(Element)) {
        if (index > 0) { *output++ = ','; }
        Element value;
        std::memcpy(&value, next, sizeof value);
        output = write_one(value, output);
    }
    return static_cast<size_t>(output - start);
}

template <typename Element, typename Wide>
size_t write_whole(const void *values, size_t count, uint8_t *output) {
    return write_all<Element>(values, count, output, [](Element value, uint8_t *at) {
        return write(static_cast<Wide>(value), at);
    });
}

template <typename Element, typename Convert>
size_t write_floats(const void *values, size_t count, bool tokens, uint8_t *output, Convert convert) {
    return write_all<Element>(values, count, output, [tokens, convert](Element value, uint8_t *at) {
        return write_any(convert(value), tokens, at);
    });
}

} // namespace

extern "C" size_t apus_json_write_numbers(
    apus_json_number_layout layout, const void *values, size_t count, bool tokens, uint8_t *output) {
    switch (layout) {
    case APUS_JSON_BOOL:
        return write_all<uint8_t>(values, count, output, [](uint8_t value, uint8_t *at) {
            return write_text(value != 0 ? "true" : "false", at);
        });
    case APUS_JSON_INT8: return write_whole<int8_t, int64_t>(values, count, output);
    case APUS_JSON_INT16: return write_whole<int16_t, int64_t>(values, count, output);
    case APUS_JSON_INT32: return write_whole<int32_t, int64_t>(values, count, output);
    case APUS_JSON_INT64: return write_whole<int64_t, int64_t>(values, count, output);
    case APUS_JSON_UINT8: return write_whole<uint8_t, uint64_t>(values, count, output);
    case APUS_JSON_UINT16: return write_whole<uint16_t, uint64_t>(values, count, output);
    case APUS_JSON_UINT32: return write_whole<uint32_t, uint64_t>(values, count, output);
    case APUS_JSON_UINT64: return write_whole<uint64_t, uint64_t>(values, count, output);
    case APUS_JSON_FLOAT16: return write_floats<uint16_t>(values, count, tokens, output, float_of_half);
    case APUS_JSON_BFLOAT16: return write_floats<uint16_t>(values, count, tokens, output, float_of_brain);
    case APUS_JSON_FLOAT:
        return write_floats<float>(values, count, tokens, output, [](float value) { return value; });
    case APUS_JSON_DOUBLE:
        return write_floats<double>(values, count, tokens, output, [](double value) { return value; });
    }
    return 0;
}
