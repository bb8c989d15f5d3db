//! Tables: CSV and Parquet.

use std::{io::Write, sync::Arc};

use chrono::{DateTime, Utc};
use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, FloatType, Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::{ExportError, Pages, row::Row};

/// Rows of a group of Parquet: what is held in memory.
const ROWS: usize = 10_000;

/// The columns of [`Row`], as Parquet knows them.
const SCHEMA: &str = "message predictions {
    REQUIRED BYTE_ARRAY id (STRING);
    REQUIRED INT64 created_at (TIMESTAMP(MICROS, true));
    REQUIRED BYTE_ARRAY key (STRING);
    REQUIRED BYTE_ARRAY predicted_class (STRING);
    REQUIRED INT32 class_index;
    REQUIRED FLOAT confidence;
    REQUIRED BYTE_ARRAY model_version (STRING);
    OPTIONAL BYTE_ARRAY flag (STRING);
    OPTIONAL BYTE_ARRAY corrected_class (STRING);
    OPTIONAL BYTE_ARRAY annotated_class (STRING);
    OPTIONAL BYTE_ARRAY annotated_by (STRING);
    OPTIONAL INT64 annotated_at (TIMESTAMP(MICROS, true));
    REQUIRED BYTE_ARRAY places (STRING);
    OPTIONAL BYTE_ARRAY source (STRING);
    REQUIRED BYTE_ARRAY content_type (STRING);
    REQUIRED INT64 bytes;
    REQUIRED INT32 width;
    REQUIRED INT32 height;
    OPTIONAL BYTE_ARRAY device_comparison (STRING);
    OPTIONAL BYTE_ARRAY scaled_from (STRING);
}";

pub(super) fn write_csv(pages: Pages<'_>, to: impl Write) -> Result<u64, ExportError> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(Row::COLUMNS)?;
    let mut count = 0;
    for page in pages {
        for prediction in page? {
            table.write_record(Row::from(prediction).cells())?;
            count += 1;
        }
    }
    table.flush()?;
    Ok(count)
}

pub(super) fn write_parquet(pages: Pages<'_>, to: impl Write + Send) -> Result<u64, ExportError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    let mut rows: Vec<Row> = Vec::with_capacity(ROWS);
    let mut count = 0;
    for page in pages {
        rows.extend(page?.into_iter().map(Row::from));
        if rows.len() >= ROWS {
            count += rows.len() as u64;
            write_group(&mut file, &rows)?;
            rows.clear();
        }
    }
    if !rows.is_empty() {
        count += rows.len() as u64;
        write_group(&mut file, &rows)?;
    }
    file.close()?;
    Ok(count)
}

/// What a column holds.
enum Values {
    Texts(Vec<ByteArray>),
    Longs(Vec<i64>),
    Numbers(Vec<i32>),
    Floats(Vec<f32>),
}

/// A column: what is there, and, where a value may be missing, which rows have one.
type Column = (Values, Option<Vec<i16>>);

fn write_group<W: Write + Send>(file: &mut SerializedFileWriter<W>, rows: &[Row]) -> Result<(), ExportError> {
    let mut group = file.next_row_group()?;
    let mut columns = columns(rows).into_iter();
    while let (Some(mut writer), Some((values, is_there))) = (group.next_column()?, columns.next()) {
        let is_there = is_there.as_deref();
        match values {
            Values::Texts(values) => writer.typed::<ByteArrayType>().write_batch(&values, is_there, None)?,
            Values::Longs(values) => writer.typed::<Int64Type>().write_batch(&values, is_there, None)?,
            Values::Numbers(values) => writer.typed::<Int32Type>().write_batch(&values, is_there, None)?,
            Values::Floats(values) => writer.typed::<FloatType>().write_batch(&values, is_there, None)?,
        };
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

/// In the order of the schema.
fn columns(rows: &[Row]) -> [Column; 20] {
    let texts = |of: fn(&Row) -> &str| {
        let values = rows.iter().map(|row| ByteArray::from(of(row).as_bytes().to_vec())).collect();
        (Values::Texts(values), None)
    };
    let some_texts = |of: fn(&Row) -> Option<&str>| {
        let values = rows.iter().filter_map(of).map(|text| ByteArray::from(text.as_bytes().to_vec())).collect();
        (Values::Texts(values), Some(rows.iter().map(|row| i16::from(of(row).is_some())).collect()))
    };
    let numbers = |of: fn(&Row) -> i32| (Values::Numbers(rows.iter().map(of).collect()), None);
    let micros = |at: DateTime<Utc>| at.timestamp_micros();
    let annotated = rows.iter().filter_map(|row| row.annotated_at).map(micros).collect();
    [
        texts(|row| &row.id),
        (Values::Longs(rows.iter().map(|row| micros(row.created_at)).collect()), None),
        texts(|row| &row.key),
        texts(|row| &row.predicted_class),
        numbers(|row| i32::from(row.class_index)),
        (Values::Floats(rows.iter().map(|row| row.confidence).collect()), None),
        texts(|row| &row.model_version),
        some_texts(|row| row.flag.as_deref()),
        some_texts(|row| row.corrected_class.as_deref()),
        some_texts(|row| row.annotated_class.as_deref()),
        some_texts(|row| row.annotated_by.as_deref()),
        (Values::Longs(annotated), Some(rows.iter().map(|row| i16::from(row.annotated_at.is_some())).collect())),
        texts(|row| &row.places),
        some_texts(|row| row.source.as_deref()),
        texts(|row| &row.content_type),
        (Values::Longs(rows.iter().map(|row| i64::try_from(row.bytes).unwrap_or(i64::MAX)).collect()), None),
        numbers(|row| i32::try_from(row.width).unwrap_or(i32::MAX)),
        numbers(|row| i32::try_from(row.height).unwrap_or(i32::MAX)),
        some_texts(|row| row.device_comparison.as_deref()),
        some_texts(|row| row.scaled_from.as_deref()),
    ]
}
