import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Drives the simulated platform from Java over its control surface (docs/control.md). The environment
 * variable OFP_SIM names the binary, OFP_SIM_PKI the folder of certificates. Only the JDK and JUnit 5.
 */
class ConsentLifeCycleTest {
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private static Process platform;
    private static String base;
    private static String token;

    @BeforeAll
    static void start() throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getenv().getOrDefault("OFP_SIM", "ofp-sim"), "up", "--port-base", "0", "--json"));
        if (System.getenv("OFP_SIM_PKI") != null) {
            command.addAll(List.of("--pki", System.getenv("OFP_SIM_PKI")));
        }
        platform = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String world = new BufferedReader(new InputStreamReader(platform.getInputStream())).readLine();
        String control = world.substring(world.indexOf("\"control\""));
        base = text(control, "url");
        token = text(control, "token");
    }

    @AfterAll
    static void stop() throws InterruptedException {
        platform.destroy();
        assertTrue(platform.waitFor(30, TimeUnit.SECONDS), "a graceful stop");
    }

    @Test
    @DisplayName("nobody decides within five minutes: the consent fails")
    void theWindowEnds() throws Exception {
        HttpResponse<String> asked = call("POST", "/v1/consents", "{\"purpose\":\"pfm\"}");
        assertEquals(201, asked.statusCode(), asked.body());
        String consent = "/v1/consents/" + text(asked.body(), "consent_id");
        assertEquals("awaiting_authorization", text(call("GET", consent, null).body(), "status"));
        HttpResponse<String> later = call("POST", consent + "/clock", "{\"by\":\"6m\"}");
        assertEquals("failed", text(later.body(), "status"), later.body());
        assertEquals("timeout", text(later.body(), "reason_code"));
    }

    @Test
    @DisplayName("a call without the token is refused")
    void theTokenIsNeeded() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/v1/consents")).build();
        assertEquals(401, HTTP.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    private static HttpResponse<String> call(String method, String path, String json) throws Exception {
        HttpRequest.BodyPublisher body = json == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(json);
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .method(method, body)
                .build();
        return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** The JDK has no JSON parser; a member that is a text is all that is needed here. */
    private static String text(String json, String member) {
        Matcher matcher = Pattern.compile("\"" + member + "\":\"([^\"]*)\"").matcher(json);
        return matcher.find() ? matcher.group(1) : null;
    }
}
