// The fold job in Kafka Streams: Processor API, one thread, two stores in RocksDB with changelogs, at least once.
// See ../README.md for the job. Arguments: servers, source topic, output topic, folder, schema of entries, of hours.

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.temporal.IsoFields;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

public final class Fold {
    static final int ENTRY_ID = 1001;
    static final int HOURS_ID = 9002;
    static final long DAY_MICROSECONDS = 86_400_000_000L;
    static final Set<String> READ = Set.of("entry_id", "client_ref", "source_revision", "start", "worked_seconds");

    public static void main(String[] arguments) throws Exception {
        Schema entry = new Schema.Parser().parse(Files.readString(Path.of(arguments[4])));
        Schema hours = new Schema.Parser().parse(Files.readString(Path.of(arguments[5])));
        Topology topology = new Topology()
            .addSource("entries", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), arguments[1])
            .addProcessor("fold", new FoldSupplier(entry, hours), "entries")
            .addSink("hours", arguments[2], Serdes.String().serializer(), Serdes.ByteArray().serializer(), "fold");
        KafkaStreams streams = new KafkaStreams(topology, settings(arguments[0], arguments[2], arguments[3]));
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            ended.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        ended.await();
        System.exit(1);
    }

    static Properties settings(String servers, String application, String folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 * 1024 * 1024);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 * 1024 * 1024);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.ACKS_CONFIG), "all");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 * 1024);
        return settings;
    }

    record FoldSupplier(Schema entry, Schema hours) implements ProcessorSupplier<byte[], byte[], String, byte[]> {
        @Override
        public Processor<byte[], byte[], String, byte[]> get() {
            return new FoldProcessor(entry, hours);
        }

        @Override
        public Set<StoreBuilder<?>> stores() {
            // Totals are changed by nearly every record, so a cache saves changelog; an entry is mostly written once.
            return Set.of(
                Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("known"), Serdes.String(), Serdes.ByteArray()),
                Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("totals"), Serdes.String(), Serdes.Long()).withCachingEnabled());
        }
    }

    static final class FoldProcessor implements Processor<byte[], byte[], String, byte[]> {
        private final GenericDatumReader<GenericRecord> reader;
        private final GenericDatumWriter<GenericRecord> writer;
        private final Schema hours;
        private final int entryId, client, revision, start, worked;
        private final Map<Long, String> weeks = new HashMap<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        private BinaryDecoder decoder;
        private BinaryEncoder encoder;
        private GenericRecord entry;
        private ProcessorContext<String, byte[]> context;
        private KeyValueStore<String, byte[]> known;
        private KeyValueStore<String, Long> totals;

        FoldProcessor(Schema written, Schema hours) {
            // Only what the job needs is read; the other fields are skipped, which Avro does faster.
            Schema read = Schema.createRecord(
                written.getName(), null, written.getNamespace(), false,
                written.getFields().stream().filter(field -> READ.contains(field.name()))
                    .map(field -> new Schema.Field(field, field.schema())).collect(Collectors.toList()));
            this.reader = new GenericDatumReader<>(written, read);
            this.writer = new GenericDatumWriter<>(hours);
            this.hours = hours;
            this.entryId = read.getField("entry_id").pos();
            this.client = read.getField("client_ref").pos();
            this.revision = read.getField("source_revision").pos();
            this.start = read.getField("start").pos();
            this.worked = read.getField("worked_seconds").pos();
        }

        @Override
        public void init(ProcessorContext<String, byte[]> context) {
            this.context = context;
            this.known = context.getStateStore("known");
            this.totals = context.getStateStore("totals");
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            entry = read(record.value());
            String id = entry.get(entryId).toString();
            String name = entry.get(client).toString();
            long version = (Long) entry.get(revision);
            long seconds = (Long) entry.get(worked);
            String week = weekOf((Long) entry.get(start));
            long change = seconds;
            byte[] stored = known.get(id);
            if (stored != null) {
                ByteBuffer row = ByteBuffer.wrap(stored);
                if (row.getLong() >= version) {
                    return;
                }
                long secondsBefore = row.getLong();
                String weekBefore = new String(stored, 16, stored.length - 16, StandardCharsets.UTF_8);
                if (weekBefore.equals(week)) {
                    change -= secondsBefore;
                } else {
                    add(record, name, weekBefore, -secondsBefore, id, version);
                }
            }
            byte[] text = week.getBytes(StandardCharsets.UTF_8);
            known.put(id, ByteBuffer.allocate(16 + text.length).putLong(version).putLong(seconds).put(text).array());
            add(record, name, week, change, id, version);
        }

        private void add(
                Record<byte[], byte[]> record, String client, String week, long change, String id, long version) {
            String key = client + "|" + week;
            Long stored = totals.get(key);
            long total = stored == null ? change : stored + change;
            totals.put(key, total);
            context.forward(new Record<>(key, hours(client, week, total, id, version), record.timestamp()));
        }

        private GenericRecord read(byte[] value) {
            ByteBuffer frame = ByteBuffer.wrap(value);
            if (frame.get() != 0 || frame.getInt() != ENTRY_ID) {
                throw new IllegalArgumentException("not an entry version");
            }
            decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
            try {
                return reader.read(entry, decoder);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private byte[] hours(String client, String week, long total, String id, long version) {
            GenericRecord made = new GenericData.Record(hours);
            made.put(0, client);
            made.put(1, week);
            made.put(2, total);
            made.put(3, id);
            made.put(4, version);
            bytes.reset();
            bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(HOURS_ID).array());
            encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
            try {
                writer.write(made, encoder);
                encoder.flush();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            return bytes.toByteArray();
        }

        private String weekOf(long startMicroseconds) {
            return weeks.computeIfAbsent(Math.floorDiv(startMicroseconds, DAY_MICROSECONDS), number -> {
                LocalDate day = LocalDate.ofEpochDay(number);
                return String.format(
                    "%d-W%02d", day.get(IsoFields.WEEK_BASED_YEAR), day.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
            });
        }
    }
}
