"""The functions of PostgreSQL that a statement may call: they compute, and reach nothing."""

ALLOWED = frozenset(
    """
    abs acos age array_agg array_append array_cat array_length array_position array_remove array_to_string asin atan
    atan2 avg bit_and bit_or bit_xor bool_and bool_or btrim cardinality cast cbrt ceil ceiling char_length
    character_length clock_timestamp coalesce concat concat_ws corr cos count covar_pop covar_samp cume_dist
    current_date current_time current_timestamp date_bin date_part date_trunc degrees dense_rank div every exists
    exp extract factorial first_value floor format gcd generate_series generate_subscripts greatest grouping initcap
    isfinite json_agg json_array_elements json_array_elements_text json_array_length json_build_array
    json_build_object json_each json_each_text json_extract_path json_extract_path_text json_object_agg
    json_object_keys json_strip_nulls json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path
    jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query
    jsonb_path_query_first jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval lag last_value
    lcm lead least left length ln localtime localtimestamp log log10 lower ltrim make_date make_interval make_time
    make_timestamp make_timestamptz max md5 min mod mode now nth_value ntile nullif num_nonnulls num_nulls
    octet_length overlay percent_rank percentile_cont percentile_disc pi position power quote_literal radians random
    rank regexp_count regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_substr regr_intercept regr_r2 regr_slope replace reverse right round row row_number
    row_to_json rtrim sign sin split_part sqrt starts_with statement_timestamp stddev stddev_pop stddev_samp
    string_agg string_to_array strpos substr substring sum tan to_char to_date to_json to_jsonb to_number
    to_timestamp to_tsquery to_tsvector plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank
    transaction_timestamp translate trim trim_scale trunc unnest upper var_pop var_samp variance width_bucket
    """.split()
)
"""Not there, on purpose: what repeats a text without bound (repeat, lpad, rpad), sleeps, reads or writes files,
settings, large objects or other servers, takes locks, sends notices, moves sequences, runs text as SQL (query_to_xml)
or tells of the server and its users."""

BEFORE_PARENTHESES = frozenset(
    """
    all and any array as between by case cross cube distinct else end except exists filter from full group having ilike
    in inner intersect is isnull join lateral left like limit materialized not notnull offset on or order over overlaps
    partition range rollup right rows select sets similar some then to union using values when where with within set
    into delete update insert interval numeric decimal varchar char character bit time timestamp timestamptz timetz
    precision varying nulls escape zone return asc desc
    """.split()
)
"""Words of the grammar, and types with a length, that an opening parenthesis may follow."""
