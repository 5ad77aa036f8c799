import io.xlate.edi.schema.Schema;
import io.xlate.edi.schema.SchemaFactory;
import io.xlate.edi.stream.EDIInputFactory;
import io.xlate.edi.stream.EDIStreamEvent;
import io.xlate.edi.stream.EDIStreamReader;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file of EDI again and again with StAEDI: java Rounds FILE SECONDS [SCHEMA]. A line a round: seconds, segments, errors. */
public class Rounds {
    public static void main(String[] args) throws Exception {
        byte[] input = Files.readAllBytes(Path.of(args[0]));
        Schema schema = args.length > 2 ? SchemaFactory.newFactory().createSchema(Files.newInputStream(Path.of(args[2]))) : null;
        EDIInputFactory factory = EDIInputFactory.newFactory();
        long end = System.nanoTime() + (long) (Double.parseDouble(args[1]) * 1e9);
        String first = "";
        do {
            long began = System.nanoTime(), segments = 0, errors = 0;
            EDIStreamReader reader = factory.createEDIStreamReader(new ByteArrayInputStream(input));
            while (reader.hasNext()) {
                EDIStreamEvent event = reader.next();
                if (event == EDIStreamEvent.START_TRANSACTION && schema != null) {
                    reader.setTransactionSchema(schema);
                } else if (event == EDIStreamEvent.START_SEGMENT) {
                    segments++;
                } else if (event.isError()) {
                    errors++;
                    if (first.isEmpty()) {
                        first = " " + reader.getErrorType() + " at " + reader.getLocation();
                    }
                }
            }
            reader.close();
            System.out.println((System.nanoTime() - began) / 1e9 + " " + segments + " " + errors + first);
        } while (System.nanoTime() < end);
    }
}
